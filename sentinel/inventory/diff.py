"""Two moments of the map in, what is new, gone, changed, newly covered or unknown out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from sentinel.inventory.merge import is_change
from sentinel.model.endpoint import Change, ChangeKind, EndpointKey, EndpointState, MapRow


def diff_maps(
    before: Iterable[MapRow],
    after: Iterable[MapRow],
    *,
    was_covered: Callable[[EndpointKey], bool],
    closed_at: Callable[[EndpointKey], datetime | None],
) -> tuple[Change, ...]:
    """Compare two maps, each with open and unknown endpoints, in the order of unit, network, address, protocol, port.

    An endpoint open only in the later map is `new` when somebody had looked there before (`was_covered`), else
    `newly_covered`; one that was unknown and answers again is `changed`. One open only in the earlier map is `unknown`
    when the later map says so, else `gone`.
    """
    old = {row.endpoint.key: row for row in before}
    new = {row.endpoint.key: row for row in after}
    changes = []
    for key, row in new.items():
        was = old.get(key)
        was_open = was is not None and was.endpoint.state is EndpointState.OPEN
        if row.endpoint.state is EndpointState.UNKNOWN:
            if was is not None and was_open:
                changes.append(Change(ChangeKind.UNKNOWN, was, at=row.endpoint.valid_from))
        elif was is not None and not was_open:
            changes.append(Change(ChangeKind.CHANGED, row, before=was.endpoint.fingerprint, at=row.endpoint.valid_from))
        elif was is None:
            covered = was_covered(key)
            kind = ChangeKind.NEW if covered else ChangeKind.NEWLY_COVERED
            changes.append(Change(kind, row, at=row.endpoint.valid_from))
        elif was.endpoint.id != row.endpoint.id and is_change(was.endpoint.fingerprint, row.endpoint.fingerprint):
            changes.append(Change(ChangeKind.CHANGED, row, before=was.endpoint.fingerprint, at=row.endpoint.valid_from))
    for key, row in old.items():
        if key not in new and row.endpoint.state is EndpointState.OPEN:
            changes.append(Change(ChangeKind.GONE, row, at=closed_at(key)))
    return tuple(sorted(changes, key=_place))


def sort_rows(rows: Iterable[MapRow]) -> tuple[MapRow, ...]:
    """Order map rows by unit, network, address number, protocol, port, vantage."""
    return tuple(sorted(rows, key=_row_place))


def _place(change: Change) -> tuple[object, ...]:
    return _row_place(change.row)


def _row_place(row: MapRow) -> tuple[str, str, int, int, str, int, str]:
    key = row.endpoint.key
    return row.unit, row.network, key.address.version, int(key.address), key.proto, key.port, key.vantage
