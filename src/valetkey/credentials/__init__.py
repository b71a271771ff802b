"""The contractor's side: profiles, MFA, cache, broker, console sign-in."""
