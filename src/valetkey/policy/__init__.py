"""The IAM policy language: read a policy, decide a request. Pure; imports nothing else of valetkey."""

from valetkey.policy.errors import PolicyError
from valetkey.policy.problem import Problem

__all__ = ["PolicyError", "Problem"]
