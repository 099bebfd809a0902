"""A practice range that stays up between commands: its keeper, and how commands reach it."""
