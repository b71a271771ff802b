"""One run against two real AWS accounts (or the sandbox) that settles what AWS documents nowhere: docs/live-run.md.

    python -m tools.live --owner PROFILE --contractor PROFILE

Rules:
- Everything that is made has the IAM path /valetkey-live/RUNID/ and is removed at the end, whatever ends the run.
- A role of the run trusts the contractor's account alone, with a random ExternalId, and may list the account's aliases
  and its buckets. Nothing that is listed is kept.
- INVARIANT: what is written holds no secret, and no id of an account, person or request (redact.py).

A step is a function in a `steps_*.py` module: it gets the `World` and answers data.
"""
