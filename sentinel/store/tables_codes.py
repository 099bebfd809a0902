"""The small numbers that narrow rows keep instead of words; only ever added to."""

PROTO_CODES = {"tcp": 0, "udp": 1, "sctp": 2}
PROTOS = tuple(PROTO_CODES)
"""The words back, by code."""

STATE_CODES = {"open": 0, "closed": 1, "unknown": 2}
WHY_CODES = {"reset": 1, "missed": 2, "changed": 3, "silent": 4, "seen": 5}
"""Why an interval ended; 0 while it lasts."""
