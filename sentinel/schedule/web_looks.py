"""Looks at one endpoint in; those that tell of different pages, with what the feeds say of them, out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sentinel.assess.subjects import endpoint_text
from sentinel.config import data_folder
from sentinel.model.endpoint import EndpointKey
from sentinel.model.probe import UNTOLD, Probe, ProbeKind
from sentinel.model.unit import Unit
from sentinel.schedule.context import Context
from sentinel.store.probes import read_probes
from sentinel.store.units import read_networks
from sentinel.traffic import PoolFeed, load_pools


class WebLooks:
    """Prepares looks for judging; the feed of pools is read when a page loads something from elsewhere."""

    def __init__(self) -> None:
        self._pools: PoolFeed | None = None

    def distinct(self, looks: Iterable[Probe]) -> Iterator[Probe]:
        """Yield looks at one endpoint; of those that found the same page by several names only the first.

        One site known by eight names has one missing header, not eight.
        """
        seen: set[object] = set()
        for look in looks:
            if look.kind is not ProbeKind.WEB:
                yield look
            elif look.values not in seen:
                seen.add(look.values)
                yield self._compare(look)

    def _compare(self, look: Probe) -> Probe:
        """Add the hosts scripts come from that stand in the feed of pools."""
        hosts = dict(look.values).get("script_hosts")
        if not isinstance(hosts, tuple):
            return look
        if self._pools is None:
            self._pools = load_pools(data_folder("rules") / "feeds" / "pools.csv")
        listed = tuple(str(host) for host in hosts if self._pools.match(str(host)) is not None)
        return replace(look, values=(*look.values, ("mining_hosts", listed))) if listed else look


def read_untold(context: Context, unit: Unit) -> dict[str, set[str]]:
    """Give, by the text of the subject, the fields the newest looks found nothing out about."""
    found: dict[str, set[str]] = {}
    networks = read_networks(context.database, unit.code)
    for one in read_probes(context.database, [network.id for network in networks]):
        fields = dict(one.values).get(UNTOLD)
        if isinstance(fields, tuple):
            place = (
                endpoint_text(EndpointKey(one.network, one.vantage, one.address, one.proto, one.port))
                if one.address
                else ""
            )
            found.setdefault(f"{place} {one.name}".strip(), set()).update(map(str, fields))
    return found
