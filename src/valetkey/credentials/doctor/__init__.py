"""Diagnosis of a refusal, and verification of a role from outside."""
