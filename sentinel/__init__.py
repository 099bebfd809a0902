"""sentinel: asset map, graded-protection self-check and mining hunt for school networks."""

__version__ = "0.1.0"
