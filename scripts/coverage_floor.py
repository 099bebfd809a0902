"""Hold the branch coverage of the pure stages at its floor; reads `.coverage`, ends with status 1 below it."""

from __future__ import annotations

import io
import sys

from coverage import Coverage

FLOOR = 90.0
PURE = ("observe", "traffic", "inventory", "assess", "respond", "report")


def main() -> int:
    coverage = Coverage()
    coverage.load()
    failed = False
    for stage in PURE:
        share = coverage.report(include=[f"*/sentinel/{stage}/*"], file=io.StringIO())
        failed |= share < FLOOR
        print(f"{stage:10} {share:5.1f} %{'' if share >= FLOOR else f'  below {FLOOR:.0f} %'}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
