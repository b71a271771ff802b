"""valetkey: let an outside party into an AWS account through one role, and take the access back."""

__version__ = "0.1.0"
