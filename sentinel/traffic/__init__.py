"""Capture files in, mining flows, suspects, full nodes and names of pools out: one function, `analyze`."""

from __future__ import annotations

from sentinel.traffic.hunt import Progress, analyze
from sentinel.traffic.pools import PoolFeed, PoolName, load_pools

__all__ = ["PoolFeed", "PoolName", "Progress", "analyze", "load_pools"]
