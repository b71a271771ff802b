"""AWS on this computer, with IAM enforced. Only `cli` imports this room."""
