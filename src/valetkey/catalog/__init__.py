"""Data that AWS publishes: actions and their access levels, risky actions, condition keys, limits."""
