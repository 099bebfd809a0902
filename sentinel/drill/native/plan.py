"""Programs found in; what each will serve, what a version scan names it, and which rules must find it, out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from sentinel.drill.native.program import Kind, Program
from sentinel.drill.servers.certificate import CertificateKind, CertificatePlan, rules_of
from sentinel.drill.servers.conversation import Seen

DEFAULT_HOST = "native.school1.example"
NOT_FOUND = "not found on this machine"

LeftOut = tuple[str, str]
"""Name of a program that is not served, and why."""


@dataclass(frozen=True, slots=True)
class NativeService:
    """One port of a real program, with its truth.

    Attributes:
        program: what serves it.
        port: the port it has in the real world.
        seen: what `nmap -sV` makes of it on its own port.
        elsewhere: what it makes of it on any other port; None: the same.
        certificate: the certificate it shows; None: it speaks in clear.
        weaknesses: names of the rules that must find something here, on its own port.
        weaknesses_elsewhere: the same on any other port; None: the same rules.
    """

    proto: ClassVar[str] = "tcp"

    program: Program
    port: int
    seen: Seen
    elsewhere: Seen | None = None
    certificate: CertificatePlan | None = None
    weaknesses: tuple[str, ...] = ()
    weaknesses_elsewhere: tuple[str, ...] | None = None


def plan_native(programs: Iterable[Program], host: str = DEFAULT_HOST) -> tuple[NativeService, ...]:
    """Plan the ports of every program that can be used, in their order; `host` is the name in its certificate."""
    return tuple(service for program in programs if not _refusal(program) for service in _plan(program, host))


def find_left_out(programs: Iterable[Program]) -> tuple[LeftOut, ...]:
    """List the kinds `plan_native` has nothing for, and why."""
    found = {program.kind: program for program in programs}
    reasons = ((kind, _refusal(found[kind]) if kind in found else NOT_FOUND) for kind in Kind)
    return tuple((kind.value, reason) for kind, reason in reasons if reason)


def _refusal(program: Program) -> str:
    """Say why a program is not used; empty where it is."""
    if program.trouble:
        return program.trouble
    if program.kind is Kind.REDIS and _numbers(program.version) < (6,):
        return f"version {program.version} cannot be forbidden single commands; 6 is the first that can"
    if program.kind is Kind.POSTGRES and not _is_beyond_table(program.version):
        return f"version {program.version} is old enough for nmap 7.93 to have another name for every few releases"
    return ""


# nmap 7.93 tells releases by the number of the line their error comes from, up to these; later ones it lumps together.
_LAST_IN_TABLE = {10: 22, 11: 17, 12: 12, 13: 8, 14: 5, 15: 0}


def _is_beyond_table(version: str) -> bool:
    major, minor = (*_numbers(version), 0)[:2]
    return major > max(_LAST_IN_TABLE) or minor > _LAST_IN_TABLE.get(major, minor)


def _numbers(version: str) -> tuple[int, ...]:
    """Read the leading numbers of a version, e.g. (9, 2) of `9.2p1`."""
    numbers: list[int] = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        numbers.append(int(digits or 0))
        if digits != part:
            break
    return tuple(numbers)


def _plan_nginx(program: Program, host: str) -> tuple[NativeService, ...]:
    certificate = CertificatePlan(CertificateKind.SELF_SIGNED, host)
    seen, page = Seen("http", "nginx", program.version), "exposure.default-page"
    return (
        NativeService(program, 80, seen, weaknesses=(page,)),
        NativeService(program, 443, seen, certificate=certificate, weaknesses=(page, *rules_of(certificate))),
    )


def _plan_redis(program: Program) -> NativeService:
    return NativeService(
        program,
        6379,
        Seen("redis", "Redis key-value store", program.version),
        elsewhere=Seen("redis", "Redis key-value store"),
        weaknesses=("exposure.redis-no-auth",),
        weaknesses_elsewhere=("exposure.redis",),  # nmap 7.93 asks for the version on its own port alone
    )


def _plan_sshd(program: Program) -> NativeService:
    # nmap puts a space where the banner has a hyphen behind the distributor: `9.2p1 Debian 2+deb12u2`.
    seen = Seen("ssh", "OpenSSH", program.version.replace("Debian-", "Debian ").replace("Ubuntu-", "Ubuntu "))
    is_old = _numbers(program.version) < (7,)
    return NativeService(program, 22, seen, weaknesses=("exposure.eol-openssh",) if is_old else ())


def _plan_postgres(program: Program) -> NativeService:
    seen = Seen("postgresql", "PostgreSQL DB", "9.6.0 or later")
    return NativeService(program, 5432, seen, weaknesses=("exposure.postgresql",))


def _plan_mosquitto(program: Program) -> NativeService:
    return NativeService(
        program,
        1883,
        Seen("mqtt"),
        elsewhere=Seen(),
        weaknesses=("exposure.mqtt",),
        weaknesses_elsewhere=(),  # nmap 7.93 speaks MQTT to its own port alone
    )


_PLANS: Mapping[Kind, Callable[[Program], NativeService]] = {
    Kind.REDIS: _plan_redis,
    Kind.SSHD: _plan_sshd,
    Kind.POSTGRES: _plan_postgres,
    Kind.MOSQUITTO: _plan_mosquitto,
}


def _plan(program: Program, host: str) -> tuple[NativeService, ...]:
    return _plan_nginx(program, host) if program.kind is Kind.NGINX else (_PLANS[program.kind](program),)
