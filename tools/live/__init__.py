"""A run against two real AWS accounts (or the sandbox) that settles what AWS does not document: docs/live-run.md.

    python -m tools.live --owner PROFILE --contractor PROFILE

Rules:
- Everything created has the IAM path /valetkey-live/RUNID/ and is removed at the end, however the run ends.
- A role of the run trusts only the contractor's account, with a random ExternalId, and may only list the account's
  aliases and buckets. Nothing that is listed is kept.
- INVARIANT: the result contains no secret, and no id of an account, person or request (redact.py).

A step is a function in a `steps_*.py` module: it takes the `World` and returns data.
"""
