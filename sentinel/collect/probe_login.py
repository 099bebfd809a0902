"""Look whether a service answers somebody who did not log in, by the one read-only request of its product.

Never a password, never a write: what is sent is listed in `tests/collect/test_login_sent.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sentinel.collect.dialer import Dialer, NoAnswerError
from sentinel.collect.login_answer import LEVEL, Asker
from sentinel.collect.login_desks import ask_mqtt, ask_nfs, ask_rsync, ask_vnc, ask_x11
from sentinel.collect.login_stores import ask_kafka, ask_memcached, ask_mongodb, ask_redis, ask_zookeeper
from sentinel.collect.login_web import WEB_ASKERS
from sentinel.collect.look import Prober, ProbeTarget

ASKERS: Mapping[str, Asker] = MappingProxyType(
    {
        "redis": ask_redis,
        "memcached": ask_memcached,
        "mongodb": ask_mongodb,
        "zookeeper": ask_zookeeper,
        "kafka": ask_kafka,
        "vnc": ask_vnc,
        "x11": ask_x11,
        "mqtt": ask_mqtt,
        "rsync": ask_rsync,
        "nfs": ask_nfs,
        **WEB_ASKERS,
    }
)
"""How each product is asked, by the name a target gives as its service."""


async def look_at_login(target: ProbeTarget, dialer: Dialer) -> dict[str, object]:
    """Ask a service; its name is the product's, as `product_of` gives it.

    Raises:
        NoAnswerError: nothing is proven, neither that it wants a login nor that it does not.
    """
    ask = ASKERS.get(target.service)
    if ask is None:
        raise NoAnswerError("no read-only request is known for it")
    found = await ask(target, dialer)
    return {
        "no_login": found.no_login,
        "login_product": target.service,
        "login_proof": found.proof,
        "login_version": found.version,
        "login_listed": found.listed,
    }


LOGIN = Prober(LEVEL, look_at_login)
