"""The only package that imports boto3: it connects to AWS and performs planned calls."""

from valetkey.aws.connect import connect

__all__ = ["connect"]
