"""Conversations of miners, pools and ordinary programs, recorded as capture files."""
