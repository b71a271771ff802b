"""AWS on this computer, IAM enforced. Nothing else imports this room."""
