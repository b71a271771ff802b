"""What AWS publishes, as data: actions and their access levels, risky actions, condition keys, limits."""
