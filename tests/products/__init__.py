"""Whether the harness says the truth of real products, which others have written."""
