"""What a service is to run and where in; the text of its unit file out. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sentinel.errors import UsageError
from sentinel.store.seal import CREDENTIAL

MARKER = "# written by sentinel service install"
"""First line of every unit file of ours; what does not begin so is never changed or removed."""

NAMES = {"run": "sentinel-run.service", "serve": "sentinel-serve.service"}
_WORDS = {"run": "sentinel: scheduled scans and reports", "serve": "sentinel: pages"}


@dataclass(frozen=True, slots=True)
class Service:
    """A service to be.

    Attributes:
        command: `run` or `serve`.
        program: the Python that runs sentinel.
        home: the home.
        system: of the machine; false: of the user.
        user: whom it runs as, in a service of the machine.
        raw: SYN and UDP scans: the one capability raw sockets need.
        key: file of the contact key to hand over; None: it is found as on the command line, or there is none.
        writable: folders it may write to besides the home.
        words: further words of the command line.
        server: its tables lie on a database server, which may start later or be away for a while.
    """

    command: str
    program: Path
    home: Path
    system: bool
    user: str = ""
    raw: bool = False
    key: Path | None = None
    writable: tuple[Path, ...] = ()
    words: tuple[str, ...] = field(default=())
    server: bool = False

    @property
    def name(self) -> str:
        """Name of the unit file."""
        return NAMES[self.command]


def build_unit(service: Service) -> str:
    """Write the unit file.

    A service of a user gets less confinement: the file system can only be closed to it by a user namespace, which many
    kernels refuse, and it can hold no capability.

    Raises:
        UsageError: a path cannot be written in a unit file.

    Source: systemd.exec(5), systemd.service(5), systemd.syntax(7), version 252.
    """
    command = [str(service.program), "-P", "-m", "sentinel", "--home", str(service.home), service.command]
    lines = [
        MARKER,
        "[Unit]",
        f"Description={_WORDS[service.command]}",
        "Documentation=man:systemd.service(5)",
        *([f"After={_needed(service)}", "Wants=network-online.target"] if service.system else []),
        f"StartLimitIntervalSec={0 if service.server else 600}",
        "StartLimitBurst=5",
        "",
        "[Service]",
        "Type=exec",
        f"ExecStart={' '.join(quote_word(word, command=True) for word in (*command, *service.words))}",
        "Restart=on-failure",
        "RestartSec=30",
        f"RestartPreventExitStatus={_final_statuses(service)}",
        "TimeoutStopSec=30",
        "UMask=0077",
        "NoNewPrivileges=yes",
        "LockPersonality=yes",
        "RestrictRealtime=yes",
        "RestrictSUIDSGID=yes",
        "SystemCallArchitectures=native",
        f"RestrictAddressFamilies={' '.join(_families(service))}",
        *(_confinement(service) if service.system else []),
        "",
        "[Install]",
        f"WantedBy={'multi-user.target' if service.system else 'default.target'}",
        "",
    ]
    return "\n".join(lines)


def _needed(service: Service) -> str:
    return "network-online.target" + (" postgresql.service" if service.server else "")


def _final_statuses(service: Service) -> str:
    """Give the exit statuses another try would not change.

    The address of the pages may come up after them (2): five tries, then it is a mistake. A database server may come up
    later too, or be away (6): it is tried as long as it takes.
    """
    return " ".join([*(["2"] if service.command != "serve" else []), *([] if service.server else ["6"]), "7"])


def _families(service: Service) -> Iterable[str]:
    yield from ("AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK")
    if service.raw:
        yield "AF_PACKET"


def _confinement(service: Service) -> list[str]:
    """What the system's systemd can do: a file system closed but for the home, no devices, no other capability."""
    writable = " ".join(map(quote_word, (str(service.home), *(f"-{one}" for one in service.writable))))
    lines = [
        *([f"User={service.user}"] if service.user else []),
        "ProtectSystem=strict",
        f"ReadWritePaths={writable}",
        *(["PrivateTmp=yes"] if not _uses_tmp(service) else []),
        "PrivateDevices=yes",
        "ProtectClock=yes",
        "ProtectControlGroups=yes",
        "ProtectHostname=yes",
        "ProtectKernelLogs=yes",
        "ProtectKernelModules=yes",
        "ProtectKernelTunables=yes",
        "RestrictNamespaces=yes",
        f"CapabilityBoundingSet={'CAP_NET_RAW' if service.raw else ''}",
        f"AmbientCapabilities={'CAP_NET_RAW' if service.raw else ''}",
        "SystemCallFilter=@system-service",
        "SystemCallErrorNumber=EPERM",
    ]
    if service.key is not None:
        lines.append(f"LoadCredential={CREDENTIAL}:{_escape(str(service.key))}")
    return lines


def _uses_tmp(service: Service) -> bool:
    """Tell whether something it needs lies where PrivateTmp would put an empty folder."""
    needed = (service.program, service.home, *service.writable)
    return any(one.is_relative_to(folder) for one in needed for folder in ("/tmp", "/var/tmp"))  # noqa: S108


def quote_word(text: str, *, command: bool = False) -> str:
    """Write a word so that systemd reads exactly it: quotes, specifiers (`%`) and, in commands, variables (`$`)."""
    safe = _escape(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{safe.replace("$", "$$") if command else safe}"'


def _escape(text: str) -> str:
    if not text.isprintable():
        raise UsageError(f"{text!a}: a path with such letters cannot stand in a unit file; move the home")
    return text.replace("%", "%%")
