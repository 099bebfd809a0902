"""What holds for all tests: no time limit for a drawn example, for machines are busy and that proves nothing."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("sentinel", deadline=None)
settings.load_profile("sentinel")
