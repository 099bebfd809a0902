"""A home in, read-only pages of it out: what the reports show, searchable, for a browser on this machine or the LAN."""
