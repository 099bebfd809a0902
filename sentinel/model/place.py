"""Where the tables of a home lie when they lie on a PostgreSQL server: a URL in, its parts out, never a password."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlsplit

DEFAULT_SCHEMA = "sentinel"
SCHEMES = ("postgresql", "postgres")
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}\Z")
_OPTIONS = ("host", "port", "user", "connect_timeout", "sslmode", "sslrootcert", "sslcert", "sslkey", "channel_binding")
"""Options of libpq that say how to reach the server; those that change what a session does are not for a URL."""

_SECRET = ("password", "passfile", "sslpassword")


@dataclass(frozen=True, slots=True)
class ServerPlace:
    """A schema of a database on a PostgreSQL server.

    Attributes:
        name: the database.
        host: name, address or socket folder; empty: libpq's default.
        port: 0: libpq's default.
        user: empty: the system's name of who runs this.
        schema: the tables lie there.
        options: (option, value) of libpq, sorted.
    """

    name: str
    host: str = ""
    port: int = 0
    user: str = ""
    schema: str = DEFAULT_SCHEMA
    options: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """Give the URL it can be read from again, without what is the default."""
        user = f"{quote(self.user, safe='')}@" if self.user else ""
        is_folder = self.host.startswith("/")
        host = "" if is_folder else f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port else ""
        asked = [*((("host", self.host),) if is_folder else ()), *self.options]
        if self.schema != DEFAULT_SCHEMA:
            asked.append(("schema", self.schema))
        query = "&".join(f"{key}={quote(value, safe='/')}" for key, value in asked)
        return f"postgresql://{user}{host}{port}/{quote(self.name, safe='')}{'?' if query else ''}{query}"


def parse_server_place(text: str) -> ServerPlace:
    """Read `postgresql://user@host:port/database?schema=…`; the host may be a socket folder, `?host=/run/postgresql`.

    Raises:
        ValueError: it is none, or it holds a password, which would be read by everybody who may read the settings.
    """
    try:
        parts = urlsplit(text.strip())
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise ValueError("is no URL like postgresql://user@host/database") from error
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.password is not None or any(one in asked for one in _SECRET):
        raise ValueError(
            "holds a password; take it out: it belongs in ~/.pgpass, PGPASSFILE or a systemd credential of mode 0600"
        )
    name = unquote(parts.path.removeprefix("/"))
    if parts.scheme not in SCHEMES or not name or "/" in name or parts.fragment:
        raise ValueError("is no URL like postgresql://user@host/database")
    schema = asked.pop("schema", DEFAULT_SCHEMA)
    if not _SCHEMA.match(schema) or schema.startswith("pg_"):
        raise ValueError(f"schema {schema!r}: small letters, digits and _ only, not beginning with a digit or pg_")
    unknown = sorted(set(asked) - set(_OPTIONS))
    if unknown:
        raise ValueError(f"option {unknown[0]!r} has no place in it; known are schema, {', '.join(_OPTIONS)}")
    if not all(one.isprintable() for one in (name, *asked.values())):
        raise ValueError("holds signs that cannot be printed")
    return ServerPlace(
        name=name,
        host=asked.pop("host", "") or host or "",
        port=_port(asked.pop("port", "")) or port or 0,
        user=asked.pop("user", "") or unquote(parts.username or ""),
        schema=schema,
        options=tuple(sorted(asked.items())),
    )


def _port(text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65_536):
        raise ValueError(f"port {text!r} is none")
    return int(text or 0)
