"""What third parties host and consent to in; addresses and names that may not be touched for want of consent out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sentinel.collect.ranges import Range, intersect, merge, range_of, subtract
from sentinel.model.hosting import Hosting
from sentinel.model.scope import Target
from sentinel.model.unit import IPNetwork

WITHOUT_CONSENT = "hosted by a third party without its written consent in force (`sentinel scope consent add`)"


@dataclass(frozen=True, slots=True)
class Unconsented:
    """What of a unit is hosted, and what of it may not be touched at a moment.

    Attributes:
        ranges: hosted addresses no consent covers.
        names: hosted names no consent covers; a wildcard stands for what lies below it.
        consented: addresses a consent covers, with the last moment it holds.
        consented_names: names a consent covers, with the last moment it holds.
    """

    ranges: tuple[Range, ...] = ()
    names: tuple[str, ...] = ()
    consented: tuple[tuple[tuple[Range, ...], datetime], ...] = ()
    consented_names: tuple[tuple[str, datetime], ...] = ()

    @classmethod
    def of(cls, hostings: Iterable[Hosting], now: datetime, led: Iterable[tuple[str, IPNetwork]] = ()) -> Unconsented:
        """Read hostings as they stand at a moment. Of two parties that host the same address both must consent.

        `led` are names and where they are known to lead: what is hosted by name is hosted there.
        """
        led = tuple(led)
        refused: list[Range] = []
        names: list[str] = []
        consented: list[tuple[tuple[Range, ...], datetime]] = []
        consented_names: list[tuple[str, datetime]] = []
        hostings = tuple(hostings)
        for party in dict.fromkeys(one.party for one in hostings):
            own = [one for one in hostings if one.party == party]
            valid = [(one, one.valid_to) for one in own if one.is_consent(now) and one.valid_to is not None]
            allowed = merge(span for one, _ in valid for span in _ranges(one.targets, led))
            allowed_names = {name for one, _ in valid for name in _names(one.targets)}
            refused += subtract((span for one in own for span in _ranges(one.targets, led)), allowed)
            names += [name for one in own for name in _names(one.targets) if name not in allowed_names]
            consented += [(merge(_ranges(one.targets, led)), until) for one, until in valid]
            consented_names += [(name, until) for one, until in valid for name in _names(one.targets)]
        return cls(merge(refused), tuple(dict.fromkeys(names)), tuple(consented), tuple(consented_names))

    def refuses_name(self, name: str) -> bool:
        """Tell whether a name is, or lies below, a hosted one without consent of its own."""
        return any(is_at_or_below(name, one) for one in self.names)

    def ends(self, ranges: tuple[Range, ...], names: Iterable[str]) -> list[datetime]:
        """Give when the consents end that cover some of these addresses or names."""
        names = tuple(names)
        ends = [until for spans, until in self.consented if intersect(ranges, spans)]
        return ends + [until for one, until in self.consented_names if any(is_at_or_below(name, one) for name in names)]


def is_at_or_below(name: str, pattern: str) -> bool:
    """Tell whether a name is the one written or lies below it; a wildcard leaves its own base out."""
    base = pattern.removeprefix("*.")
    return name.endswith(f".{base}") or (name == base and base == pattern)


def _ranges(targets: Iterable[Target], led: Iterable[tuple[str, IPNetwork]]) -> list[Range]:
    """Give the addresses of targets, and those their names lead to."""
    targets = tuple(targets)
    names = _names(targets)
    written = [range_of(target.network) for target in targets if target.network is not None]
    return written + [range_of(to) for name, to in led if any(is_at_or_below(name, one) for one in names)]


def _names(targets: Iterable[Target]) -> list[str]:
    return [target.name for target in targets if target.name]
