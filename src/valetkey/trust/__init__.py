"""The access terms of a trust, what a trust policy means for outsiders, and the one place that writes one."""

from valetkey.trust.terms import Terms

__all__ = ["Terms"]
