"""Services of Debian packages, installed or merely unpacked, started for an exercise and bound to one address of it."""
