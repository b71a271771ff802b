"""Delivers role sessions to programs: child processes, shells, the credential server, the console, Terraform."""
