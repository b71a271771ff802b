"""Role sessions given to programs: child processes, shells, the credential server, the console, Terraform."""
