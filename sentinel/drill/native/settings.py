"""A program, its ports and a folder in; the files it is given there and the words that start it out.

Every setting keeps it in the foreground, on one address, without logins and without anything a visitor may store.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from sentinel.drill.native.program import Kind, Program

CERTIFICATE = "certificate.pem"
"""File with the key and the certificate of a program that speaks TLS."""

_PAGE = (
    "<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n</head>\n<body>\n<h1>Welcome to nginx!</h1>\n"
)
_VISITORS = 64


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be served.

    Attributes:
        program: by which program.
        address: the one address it listens on.
        ports: port as served, by true port.
        folder: where it may write, absolute, and empty at first.
    """

    program: Program
    address: IPv4Address
    ports: Mapping[int, int]
    folder: Path


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a program is started.

    Attributes:
        files: text by name, to be written into the folder first.
        prepare: words of a command that must end before the start; empty: none.
        command: words of the program.
        stop: the signal that ends it at once and in order.
        needs_certificate: CERTIFICATE must lie in the folder.
    """

    files: Mapping[str, str]
    command: tuple[str, ...]
    prepare: tuple[str, ...] = ()
    stop: int = signal.SIGTERM
    needs_certificate: bool = False


def write_recipe(order: Order) -> Recipe:
    """Write the settings of a program."""
    return _RECIPES[order.program.kind](order)


def _serve_nginx(order: Order) -> Recipe:
    """Serve the page of a fresh installation, in one process. Source: nginx.org, core and http core modules."""
    folder, address = order.folder, order.address
    kept = "".join(
        f'    {name}_temp_path "{folder}/{name}";\n' for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = (
        f'daemon off;\nmaster_process off;\npid "{folder}/pid";\nlock_file "{folder}/lock";\nerror_log stderr crit;\n'
        f"events {{\n    worker_connections {2 * _VISITORS};\n}}\n"
        "http {\n    access_log off;\n    server_tokens on;\n    default_type text/html;\n"
        f"    client_max_body_size 16k;\n    keepalive_timeout 10s;\n    send_timeout 10s;\n{kept}"
        f"    server {{\n        listen {address}:{order.ports[80]};\n"
        f"        listen {address}:{order.ports[443]} ssl;\n"
        f'        ssl_certificate "{folder}/{CERTIFICATE}";\n        ssl_certificate_key "{folder}/{CERTIFICATE}";\n'
        f'        root "{folder}/pages";\n    }}\n}}\n'
    )
    return Recipe(
        files={"nginx.conf": text, "pages/index.html": _PAGE},
        command=(str(order.program.path), "-p", str(folder), "-c", str(folder / "nginx.conf")),
        needs_certificate=True,
    )


def _serve_redis(order: Order) -> Recipe:
    """Answer without a login, but only with what changes nothing. Source: redis.io, redis.conf and ACL."""
    lines = (
        f"bind {order.address}",
        f"port {order.ports[6379]}",
        "protected-mode no",  # it would refuse all but 127.0.0.1 where there is no password
        "daemonize no",
        f"dir {order.folder}",
        'save ""',
        "appendonly no",
        "databases 1",
        f"maxclients {_VISITORS}",
        "maxmemory 16mb",
        "timeout 60",
        "loglevel warning",
        "user default on nopass -@all +ping +echo +info +hello +select +dbsize +get +exists",
    )
    return Recipe({"redis.conf": "\n".join(lines) + "\n"}, (str(order.program.path), str(order.folder / "redis.conf")))


def _serve_sshd(order: Order) -> Recipe:
    """Greet and exchange keys, and let nobody in: every way to log in is off. Source: sshd_config(5), OpenSSH 9.2."""
    folder, program = order.folder, order.program
    key = folder / "host_key"
    lines = [
        f"ListenAddress {order.address}:{order.ports[22]}",
        f"HostKey {key}",
        "PidFile none",
        *(f"{way}Authentication no" for way in ("Pubkey", "Password", "KbdInteractive", "Hostbased")),
        "AuthorizedKeysFile none",
        "PermitRootLogin no",
        "DenyUsers *",
        "UsePAM no",
        "UseDNS no",
        "LoginGraceTime 10",
        f"MaxStartups {_VISITORS}",
        "LogLevel FATAL",
    ]
    # From 9.8 on a connection is handed to another program, looked for where the package would be installed.
    for setting, name in (("SshdSessionPath", "sshd-session"), ("SshdAuthPath", "sshd-auth")):
        if program.tree is not None and (path := program.tree / "usr/lib/openssh" / name).is_file():
            lines.append(f"{setting} {path}")
    return Recipe(
        files={"sshd_config": "\n".join(lines) + "\n"},
        prepare=(str(program.beside), "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)),
        command=(str(program.path), "-D", "-e", "-f", str(folder / "sshd_config")),
    )


def _serve_postgres(order: Order) -> Recipe:
    """Hold an empty database that refuses everybody. Source: postgresql.org, server configuration, version 15."""
    data, rules = order.folder / "data", order.folder / "pg_hba.conf"
    settings = {
        "listen_addresses": str(order.address),
        "port": order.ports[5432],
        "hba_file": rules,
        "unix_socket_directories": "",
        "shared_buffers": "8MB",
        "dynamic_shared_memory_type": "mmap",  # /dev/shm is the machine's
        "max_connections": _VISITORS,
        "authentication_timeout": "10s",
        "wal_level": "minimal",
        "max_wal_senders": 0,
        "autovacuum": "off",
        "fsync": "off",
        "log_min_messages": "fatal",
    }
    first = (str(order.program.beside), "-D", str(data), "-U", "exercise", "-A", "reject", "-E", "UTF8")
    return Recipe(
        files={"pg_hba.conf": "local all all reject\nhost all all all reject\n"},
        prepare=(*first, "--no-locale", "--no-sync", "--wal-segsize=1"),
        command=(
            *(str(order.program.path), "-D", str(data)),
            *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
        ),
        stop=signal.SIGINT,  # what ends it without waiting for its visitors
    )


def _serve_mosquitto(order: Order) -> Recipe:
    """Let everybody in and keep nothing. Source: mosquitto.conf(5), version 2.0."""
    lines = (
        f"listener {order.ports[1883]} {order.address}",
        "allow_anonymous true",
        "persistence false",
        "retain_available false",
        f"max_connections {_VISITORS}",
        "message_size_limit 4096",
        "log_dest stderr",
        "log_type error",
    )
    return Recipe(
        {"mosquitto.conf": "\n".join(lines) + "\n"},
        (str(order.program.path), "-c", str(order.folder / "mosquitto.conf")),
    )


_RECIPES: Mapping[Kind, Callable[[Order], Recipe]] = {
    Kind.NGINX: _serve_nginx,
    Kind.REDIS: _serve_redis,
    Kind.SSHD: _serve_sshd,
    Kind.POSTGRES: _serve_postgres,
    Kind.MOSQUITTO: _serve_mosquitto,
}
