"""Exercises: the practice school, scenarios, and the recording of mining conversations."""
