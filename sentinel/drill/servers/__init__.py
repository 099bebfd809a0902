"""The servers of a practice school: real protocols in plain Python, with the truth about each."""
