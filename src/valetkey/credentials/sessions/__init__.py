"""Base identity, MFA, the credential broker and its cache."""
