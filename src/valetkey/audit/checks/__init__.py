"""The checks: access (who gets in), policy (the document), role (everything around it)."""
