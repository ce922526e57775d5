"""What is checked: conformance (pytest), load (Locust), bench (pytest-benchmark)."""
