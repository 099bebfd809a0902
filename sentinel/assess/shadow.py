"""A permission and the entries in force beside it in; the prohibitions that take some of it back, or all of it, out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sentinel.assess.entries import holds_ports
from sentinel.assess.listing import is_expected
from sentinel.model.unit import IPNetwork
from sentinel.model.whitelist import PeerKind, WhitelistEntry, WhitelistKind


@dataclass(frozen=True, slots=True)
class Shadow:
    """A prohibition that wins over a permission.

    Attributes:
        entry: the prohibition.
        whole: nothing of the permission is left, ever; else some of it may be.
    """

    entry: WhitelistEntry
    whole: bool


def find_shadows(wanted: WhitelistEntry, entries: Iterable[WhitelistEntry]) -> tuple[Shadow, ...]:
    """Give the prohibitions that speak against a permission at some time, those that leave nothing of it first.

    A host that is permitted stays so where only ports of it are forbidden.
    """
    if wanted.is_deny:
        return ()
    found = [Shadow(one, _is_whole(one, wanted)) for one in entries if one.is_deny and _meets(one, wanted)]
    return tuple(sorted(found, key=lambda one: (not one.whole, one.entry.id)))


def _meets(deny: WhitelistEntry, wanted: WhitelistEntry) -> bool:
    if deny.direction is not wanted.direction or not _meet_in_time(deny, wanted):
        return False
    if WhitelistKind.DOMAIN in (deny.kind, wanted.kind):
        one, other = deny.domain.lower(), wanted.domain.lower()
        return deny.kind is wanted.kind and (fnmatchcase(one, other) or fnmatchcase(other, one))
    if deny.kind is WhitelistKind.PORT and not _meet_in_ports(deny, wanted):
        return False
    return _overlap(deny.addresses, wanted.addresses) and _meet_in_peers(deny, wanted)


def _meet_in_time(deny: WhitelistEntry, wanted: WhitelistEntry) -> bool:
    begins_late = deny.valid_from is not None and wanted.valid_to is not None and deny.valid_from > wanted.valid_to
    ends_early = deny.valid_to is not None and wanted.valid_from is not None and deny.valid_to < wanted.valid_from
    return not (begins_late or ends_early)


def _meet_in_ports(deny: WhitelistEntry, wanted: WhitelistEntry) -> bool:
    if wanted.kind is not WhitelistKind.PORT or deny.proto.lower() != wanted.proto.lower():
        return False
    if deny.service and wanted.service and not is_expected(deny.service, wanted.service, ""):
        return False
    return any(low <= last and first <= high for low, high in deny.ports.ranges for first, last in wanted.ports.ranges)


def _meet_in_peers(deny: WhitelistEntry, wanted: WhitelistEntry) -> bool:
    """Tell whether both may speak of one other side; on which side prefixes lie is not known here."""
    kinds = {deny.peer, wanted.peer}
    if PeerKind.ANY in kinds or (len(kinds) == 1 and PeerKind.PREFIX not in kinds):
        return True
    return PeerKind.PREFIX in kinds and (len(kinds) > 1 or _overlap(deny.peers, wanted.peers))


def _is_whole(deny: WhitelistEntry, wanted: WhitelistEntry) -> bool:
    begins = deny.valid_from is None or (wanted.valid_from is not None and deny.valid_from <= wanted.valid_from)
    ends = deny.valid_to is None or (wanted.valid_to is not None and wanted.valid_to <= deny.valid_to)
    if not (begins and ends):
        return False
    if deny.kind is WhitelistKind.DOMAIN:
        return fnmatchcase(wanted.domain.lower(), deny.domain.lower())
    if deny.service or (deny.peer is not PeerKind.ANY and (deny.peer, deny.peers) != (wanted.peer, wanted.peers)):
        return False
    if deny.kind is WhitelistKind.PORT and not holds_ports(deny.ports, wanted.ports):
        return False
    return all(any(_holds(outer, inner) for outer in deny.addresses) for inner in wanted.addresses)


def _overlap(some: Iterable[IPNetwork], others: Iterable[IPNetwork]) -> bool:
    held = tuple(others)
    return any(one.version == other.version and one.overlaps(other) for one in some for other in held)


def _holds(outer: IPNetwork, inner: IPNetwork) -> bool:
    return outer.version == inner.version and outer.supernet_of(inner)  # type: ignore[arg-type]  # of one version
