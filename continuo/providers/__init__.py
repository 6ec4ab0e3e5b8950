"""Wire protocols of model providers, one a file: pure mapping; `client.py` holds the one pooled HTTP client."""
