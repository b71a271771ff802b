"""Diagnosis of a denied AssumeRole, and verification of a role from outside."""
