"""The contractor's side: profiles, MFA, cache, credentials, console sign-in."""
