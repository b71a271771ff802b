"""The only room that imports boto3: connecting and performing planned calls."""

from valetkey.aws.connect import connect

__all__ = ["connect"]
