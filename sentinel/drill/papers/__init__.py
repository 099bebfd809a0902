"""The papers of an exercise: the register, the whitelist, DHCP leases and NAT sessions of a practice school."""
