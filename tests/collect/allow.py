"""Authorisations and permits for tests, always through the gate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sentinel.collect.gate import Permit, admit, parse_target
from sentinel.model.scope import Authorisation, Level
from sentinel.model.unit import Network

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
UNIT = "3300000001"


def utc_now() -> datetime:
    return datetime.now(UTC)


def authorise(*targets: str, **changes: object) -> Authorisation:
    """An authorisation of UNIT around NOW over `targets`; `changes` replace its fields."""
    now = changes.pop("now", NOW)
    assert isinstance(now, datetime)
    fields: dict[str, object] = {
        "id": 7,
        "unit": UNIT,
        "targets": tuple(parse_target(target) for target in targets),
        "by": "校长办公室",
        "document": "网信〔2026〕7号",
        "valid_from": now - timedelta(days=1),
        "valid_to": now + timedelta(days=1),
        "level": Level.SERVICE,
        "rate_pps": 1000,
    }
    excluded = changes.pop("excluded", ())
    assert isinstance(excluded, tuple)
    fields["excluded"] = tuple(parse_target(target) for target in excluded)
    return Authorisation(**(fields | changes))  # type: ignore[arg-type]  # the changes are fields by name


def permit_for(*targets: str, networks: Sequence[Network] = (), **changes: object) -> Permit:
    """A permit over exactly `targets`, loopback allowed, valid around the real time."""
    now = utc_now()
    fields: dict[str, object] = {"now": now, "allow_loopback": True}
    authorisation = authorise(*targets, **(fields | changes))
    admission = admit(
        targets,
        unit=UNIT,
        level=authorisation.level,
        rate_pps=None,
        authorisations=[authorisation],
        networks=networks,
        kept_out=(),
        hosted=(),
        now=now,
    )
    assert not admission.refusals, admission.refusals
    return admission.permits[0]
