"""How a server of tools is asked, by MCP."""
