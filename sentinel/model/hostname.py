"""Host names as certificates write them, and what they cover."""

from __future__ import annotations


def covers(pattern: str, name: str) -> bool:
    """Tell whether a certificate name covers a host name; `*.` stands for exactly one label.

    Source: RFC 9525 section 6.3.
    """
    if pattern == name:
        return True
    label, dot, rest = name.partition(".")
    return bool(label and dot and pattern.startswith("*.") and pattern[2:] == rest)
