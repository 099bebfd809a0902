"""A planned school in; the truth file out: what is open where, what is planted, and what each cue changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sentinel.drill.school.cues import ALL_CUES, Cue
from sentinel.drill.school.host import Manner, PlannedHost
from sentinel.drill.school.plan import AFTER, BEFORE, PlannedChange, PlantedPort, School

FORMAT = 1
"""Number of this file format."""


def build_truth(school: School, played: Collection[Cue] = BEFORE) -> dict[str, object]:
    """Give the truth as values JSON can write.

    Under `ports` every open port with what `nmap -sV` names it, the rules that must find something there
    (`weaknesses`), those that could only at the true port (`unseen`), and what is planted there that no rule names yet
    (`flaws`); under `hosts` also those without open
    ports and those that answer everywhere; under `cues` the differences each cue makes from the beginning, and under
    `change` those of all of them.
    """
    lot = school.lot
    return {
        "format": FORMAT,
        "school": school.name,
        "domain": school.domain,
        "seed": school.seed,
        "networks": [str(prefix) for prefix in (lot.base, lot.base6) if prefix is not None],
        "offset": lot.offset,
        "played": sorted(played),
        "hosts": [_host_words(host) for host in school.hosts(played)],
        "ports": [port_words(row) for row in school.truth(played)],
        "cues": {
            **{cue.value: _change_words(school.expected_changes(BEFORE, {cue})) for cue in school.steps},
            ALL_CUES: _change_words(school.expected_changes(BEFORE, AFTER)),
        },
    }


def _host_words(host: PlannedHost) -> dict[str, object]:
    return {
        "role": host.role,
        "label": host.label,
        "name": host.name,
        "addresses": [str(address) for address in host.addresses],
        "mac": host.mac,
        "manner": host.manner.value,
        "open_ports": len(host.services) if host.manner is Manner.SERVES else None,
    }


def port_words(row: PlantedPort) -> dict[str, object]:
    """Give the row of one open port under `ports`."""
    shown = row.certificate
    return {
        "address": str(row.address),
        "proto": row.proto,
        "port": row.port,
        "host": row.host,
        "service": row.service,
        "product": row.product,
        "version": row.version,
        "tunnel": row.tunnel,
        "certificate": {"kind": shown.kind.value, "name": shown.name} if shown is not None else None,
        "weaknesses": list(row.weaknesses),
        "unseen": list(row.unseen),
        "flaws": list(row.flaws),
    }


def _change_words(changes: Iterable[PlannedChange]) -> list[dict[str, object]]:
    return [
        {
            "kind": change.kind.value,
            "address": str(change.address),
            "proto": change.proto,
            "port": change.port,
            "what": list(change.what),
        }
        for change in changes
    ]
