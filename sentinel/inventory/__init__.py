"""Observations and what was known before in; a dated map and its changes out. Pure."""
