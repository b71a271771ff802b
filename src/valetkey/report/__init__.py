"""Results as tables and JSON, one file per room. Only `valetkey.cli` imports this room."""
