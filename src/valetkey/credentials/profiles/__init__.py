"""Profiles, access requests, acceptance of a handoff, and the AWS config file."""
