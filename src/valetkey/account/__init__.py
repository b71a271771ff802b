"""An account as values: its roles and policies, and calls to its API as data."""

from valetkey.account.calls import Call, CallError, Perform, everything

__all__ = ["Call", "CallError", "Perform", "everything"]
