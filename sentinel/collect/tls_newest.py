"""A connection to a server that speaks TLS 1.3 alone in; the certificates it sends there, which are encrypted, out.

Everything is taken and nothing is trusted: this is a look, not a connection to rely on.
"""

from __future__ import annotations

import _ssl
import ssl
import sys
import time
import warnings

from sentinel.collect.dialer import Line, NoAnswerError
from sentinel.collect.tls_answer import MAX_CERTIFICATES
from sentinel.collect.tls_exchange import EXCHANGE_S, PAUSE_S
from sentinel.collect.tls_offer import PROTOCOLS

_MAX_CERTIFICATE = 64 * 1024


async def read_newest_chain(line: Line, name: str) -> tuple[tuple[bytes, ...], str]:
    """Shake hands and give the certificates, DER, the server's own first, and the protocol it chose (ALPN).

    Raises:
        NoAnswerError: the handshake does not come to its end.
    """
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = _context().wrap_bio(incoming, outgoing, server_hostname=name or None)
    until = time.monotonic() + EXCHANGE_S
    while True:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            if sending := outgoing.read():
                await line.send(sending)
        except (ssl.SSLError, ValueError) as error:
            raise NoAnswerError("the handshake of tls 1.3 fails") from error
        else:
            await line.send(outgoing.read())
            return _chain(tls), (tls.selected_alpn_protocol() or "")[:40]
        wait = min(PAUSE_S, until - time.monotonic())
        data = await line.read(timeout_s=wait) if wait > 0 else b""
        if not data:
            raise NoAnswerError("the handshake of tls 1.3 does not come to its end")
        incoming.write(data)


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.set_ciphers("ALL:@SECLEVEL=0")  # short keys and old signatures are what is looked for
    context.set_alpn_protocols(list(PROTOCOLS))
    return context


def _chain(tls: ssl.SSLObject) -> tuple[bytes, ...]:
    if sys.version_info >= (3, 13):
        chain = tls.get_unverified_chain()
    else:  # the same call, not yet public
        inner = tls._sslobj  # type: ignore[attr-defined]  # typeshed does not know it
        chain = [one.public_bytes(_ssl.ENCODING_DER) for one in inner.get_unverified_chain() or ()]
    return tuple(one for one in chain[:MAX_CERTIFICATES] if len(one) <= _MAX_CERTIFICATE)
