"""What an operator edits: catalog, tenants, settings."""
