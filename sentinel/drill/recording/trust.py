"""Names in, TLS settings of servers with those names and of a client that believes them out."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime

from cryptography.hazmat.primitives.serialization import Encoding

from sentinel.drill.servers.certificate import Authority, CertificateKind, CertificatePlan


class Trust:
    """An authority of the exercise; it is made at the first name asked for, and so is each certificate."""

    def __init__(self) -> None:
        self._authority: Authority | None = None
        self._servers: dict[str, ssl.SSLContext] = {}
        self._client: ssl.SSLContext | None = None

    def server(self, name: str) -> ssl.SSLContext | None:
        """Give the settings of the server `name`; None for no name, which speaks in clear."""
        if not name:
            return None
        if name not in self._servers:
            self._servers[name] = self._root().issue(CertificatePlan(CertificateKind.GOOD, name)).context
        return self._servers[name]

    def client(self, name: str) -> ssl.SSLContext | None:
        """Give the settings of a client of the server `name`, which checks name and chain; None for no name."""
        if not name:
            return None
        if self._client is None:
            self._client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._client.load_verify_locations(cadata=self._root().certificate.public_bytes(Encoding.PEM).decode())
        return self._client

    def _root(self) -> Authority:
        if self._authority is None:
            self._authority = Authority("示例学校", datetime.now(UTC))
        return self._authority
