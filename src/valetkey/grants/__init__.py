"""The owner's side: a grant, planned, made, shown, revoked."""
