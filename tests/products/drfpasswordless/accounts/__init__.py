"""Users by their address: drfpasswordless wants a model with an e-mail field of its own."""
