"""One JSON object or HTTP head in, the sign of mining it holds out.

| what is seen | family | who says it | certainty |
|---|---|---|---|
| a `mining.` method of the list, or the answer that grants its subscription | stratum | by method | 1 |
| any other `mining.` method | stratum | client | 0.6 |
| eth_submitLogin, eth_submitWork, eth_submitHashrate | ethproxy | client | 1 |
| eth_getWork | ethproxy | client | 0.95 |
| answer of three hashes of which the third, the target, begins with zeros | ethproxy | server | 0.9 |
| login with pass, and agent, algo or rigid (not over HTTP) | cryptonote | client | 1 |
| login with pass, where the login is a wallet | cryptonote | client | 0.95 |
| login with pass alone, on a plain connection: others log in so too | cryptonote | client | 0.2 |
| submit with job_id and nonce; job or answer with blob, job_id and target | cryptonote | by method | 1 |
| keepalived with id; status KEEPALIVED | cryptonote | by method | 0.9 |
| in WebSocket: coinhive's auth with site key, job, submit; webminerpool's handshake, solved | websocket | by type | 1 |
| in WebSocket: coinhive's authed with token and hashes, hash_accepted with hashes | websocket | server | 0.9 |
| getwork; its answer with data and target | getwork | by method | 0.95 |
| getblocktemplate, submitblock with a block; a template as answer | getblocktemplate | by method | 0.9 |
| X-Mining-* in a request, X-Stratum or X-Roll-NTime in an answer | getwork | by direction | 0.98 |

From 0.9 a sign proves mining; from 0.5 it makes a suspect; a weaker one only tells who logged in, beside another sign
on the same connection. Not signs: other eth_ methods, login without pass, answers
that say only true, port numbers. Mining protocols spoken inside WebSocket are family `websocket`.
Source: stratum v1 manual of Slush Pool, EIP-1571, xmrig-proxy STRATUM.md, bitcoin wiki Getwork, BIP 22 and 23.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, replace
from enum import Enum

from sentinel.model.links import cut_request
from sentinel.traffic.coins import coin_of_address, coin_of_algorithm
from sentinel.traffic.masking import mask_login, mask_text
from sentinel.traffic.messages import JsonObject, JsonValue, Message
from sentinel.traffic.web import HttpMessage

PROOF = 0.9
LEAST = 0.5
"""Certainty from which a sign makes a suspect."""

_STRATUM_CLIENT = frozenset(
    {
        "mining.subscribe",
        "mining.authorize",
        "mining.submit",
        "mining.configure",
        "mining.extranonce.subscribe",
        "mining.suggest_difficulty",
        "mining.suggest_target",
        "mining.get_transactions",
        "mining.multi_version",
        "mining.hello",
        "mining.hashrate",
        "mining.noop",
        "mining.bye",
        "mining.auth",
        "mining.capabilities",
    }
)
_STRATUM_SERVER = frozenset(
    {
        "mining.notify",
        "mining.set_difficulty",
        "mining.set_extranonce",
        "mining.set_target",
        "mining.set_goal",
        "mining.set_version_mask",
        "mining.set",
        "mining.ping",
    }
)
_GRANTED = frozenset({"mining.notify", "mining.set_difficulty", "mining.set_target"})
_ETH_CLIENT = {"eth_submitLogin": 1.0, "eth_submitWork": 1.0, "eth_submitHashrate": 1.0, "eth_getWork": 0.95}
_TEMPLATE_METHODS = frozenset({"getblocktemplate", "get_block_template"})
_BLOCK_METHODS = frozenset({"submitblock", "submit_block"})
_HASH = re.compile(r"0x[0-9a-fA-F]{64}\Z")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+\Z")
_EQUIHASH_VERSION = "04000000"
_WALLET_LENGTH = 90


class Transport(Enum):
    """What carries a message."""

    PLAIN = "plain"
    HTTP = "http"
    WEBSOCKET = "websocket"


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of mining; nothing in it needs masking any more.

    Attributes:
        family: see the table above.
        by_client: the miner's side said it.
        certainty: 0 to 1.
        text: the bytes that show it, printable and masked.
        coin: empty when it cannot be told.
        agent: software as it named itself.
        wallet: masked login.
    """

    family: str
    by_client: bool
    certainty: float
    text: str = ""
    coin: str = ""
    agent: str = ""
    wallet: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    """What a rule found, before masking."""

    family: str
    by_client: bool
    certainty: float
    coin: str = ""
    agent: str = ""
    login: str = ""
    password: str = ""


def read_sign(message: Message, transport: Transport) -> Sign | None:
    """Read the sign in a JSON object; None for most."""
    value = message.value
    method = value.get("method")
    if isinstance(method, str):
        found = _request(method, value.get("params"), transport)
    elif transport is Transport.WEBSOCKET and ("type" in value or "identifier" in value):
        found = _browser(value)
    else:
        found = _answer(value.get("result"))
    if found is None:
        return None
    return Sign(
        family="websocket" if transport is Transport.WEBSOCKET else found.family,
        by_client=found.by_client,
        certainty=found.certainty,
        text=mask_text(message.text, [found.login], [found.password]),
        coin=found.coin or coin_of_address(found.login),
        agent=mask_text(found.agent, [], [])[:100],
        wallet=mask_login(found.login) if found.login else "",
    )


def read_head_sign(message: HttpMessage) -> Sign | None:
    """Read the sign in the headers of a request or answer."""
    wanted = ("x-mining-extensions", "x-mining-hashrate") if message.is_request else ("x-stratum", "x-roll-ntime")
    shown = next((f"{name}: {message.headers[name]}" for name in wanted if name in message.headers), "")
    if not shown:
        return None
    sign = Sign("getwork", message.is_request, 0.98, mask_text(f"{cut_request(message.start)} {shown}", [], []))
    return add_head(sign, message)


def add_head(sign: Sign, message: HttpMessage) -> Sign:
    """Add agent and login of a request's head to a sign that names none."""
    login = basic_login(message.headers.get("authorization", ""))
    return replace(
        sign,
        agent=sign.agent or mask_text(message.headers.get("user-agent", ""), [], [])[:100],
        wallet=sign.wallet or (mask_login(login) if login else ""),
        coin=sign.coin or coin_of_address(login),
    )


def basic_login(header: str) -> str:
    """Give the user of an `Authorization: Basic` header; empty when there is none."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(token, validate=True).decode("utf-8", "replace").partition(":")[0]
    except (binascii.Error, ValueError):
        return ""


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _item(params: JsonValue, index: int) -> str:
    return _text(params[index]) if isinstance(params, list) and len(params) > index else ""


def _request(method: str, params: JsonValue, transport: Transport) -> _Found | None:
    if method.startswith("mining."):
        return _stratum(method, params)
    if method in _ETH_CLIENT:
        login, password = (_item(params, 0), _item(params, 1)) if method == "eth_submitLogin" else ("", "")
        return _Found("ethproxy", True, _ETH_CLIENT[method], "ETH", login=login, password=password)
    if isinstance(params, dict) and method in _CRYPTONOTE:
        return _CRYPTONOTE[method](params, transport)
    if method == "getwork" and (params is None or isinstance(params, list)):
        return _Found("getwork", True, 0.95)
    if method in _TEMPLATE_METHODS:
        wallet = _text(params.get("wallet_address")) if isinstance(params, dict) else ""
        return _Found("getblocktemplate", True, 0.9, login=wallet)
    if method in _BLOCK_METHODS and len(_item(params, 0)) >= 160 and _HEX.match(_item(params, 0)):
        return _Found("getblocktemplate", True, 0.9)
    return None


def _stratum(method: str, params: JsonValue) -> _Found | None:
    if method in _STRATUM_SERVER:
        is_equihash = method == "mining.notify" and _item(params, 1) == _EQUIHASH_VERSION
        return _Found("stratum", False, 1.0, "ZEC" if is_equihash else "")
    if method not in _STRATUM_CLIENT:
        return _Found("stratum", True, 0.6)
    agent = login = password = ""
    if method == "mining.subscribe":
        agent = _item(params, 0)
    elif method == "mining.hello" and isinstance(params, dict):
        agent = _text(params.get("agent"))
    elif method == "mining.authorize":
        login, password = _item(params, 0), _item(params, 1)
    elif method == "mining.submit":
        login = _item(params, 0)
    return _Found("stratum", True, 1.0, agent=agent, login=login, password=password)


def _login(params: JsonObject, transport: Transport) -> _Found | None:
    login, password, agent = _text(params.get("login")), params.get("pass"), _text(params.get("agent"))
    if not login or not isinstance(password, str):
        return None
    algorithms = params.get("algo")
    is_wallet = coin_of_address(login) == "XMR" or len(login) >= _WALLET_LENGTH
    if transport is not Transport.HTTP and (agent or isinstance(algorithms, list) or "rigid" in params):
        certainty = 1.0
    elif is_wallet:
        certainty = 0.95
    elif transport is Transport.PLAIN:
        certainty = 0.2
    else:
        return None
    # A miner lists all it can do; only a single algorithm says what it will.
    coin = coin_of_algorithm(_item(algorithms, 0)) if isinstance(algorithms, list) and len(algorithms) == 1 else ""
    return _Found("cryptonote", True, certainty, coin, agent, login, password)


def _submit(params: JsonObject, _: Transport) -> _Found | None:
    nonce = params.get("nonce")
    is_nonce = isinstance(nonce, int) or bool(_HEX.match(_text(nonce)))
    if isinstance(params.get("job_id"), str | int) and is_nonce:
        return _Found("cryptonote", True, 1.0, coin_of_algorithm(_text(params.get("algo"))))
    return None


def _job(params: JsonObject, _: Transport = Transport.PLAIN) -> _Found | None:
    if not (_HEX.match(_text(params.get("blob"))) and params.get("job_id") and params.get("target")):
        return None
    algorithm = _text(params.get("algo"))
    is_randomx = not algorithm and bool(_text(params.get("seed_hash")))
    return _Found("cryptonote", False, 1.0, "XMR" if is_randomx else coin_of_algorithm(algorithm))


def _keepalive(params: JsonObject, _: Transport) -> _Found | None:
    return _Found("cryptonote", True, 0.9) if "id" in params else None


_CRYPTONOTE = {"login": _login, "submit": _submit, "job": _job, "keepalived": _keepalive}


def _answer(result: JsonValue) -> _Found | None:
    if isinstance(result, dict):
        return _answer_object(result)
    if not isinstance(result, list) or not result:
        return None
    if _grants_subscription(result[0]):
        return _Found("stratum", False, 1.0)
    if 3 <= len(result) <= 5 and all(_HASH.match(_item(result, index)) for index in range(3)):
        is_target = _item(result, 2).startswith("0x0000")
        return _Found("ethproxy", False, 0.9, "ETH") if is_target else None
    return None


def _grants_subscription(first: JsonValue) -> bool:
    if not isinstance(first, list):
        return False
    return any(_text(item) in _GRANTED or _item(item, 0) in _GRANTED for item in first[:8])


def _answer_object(result: JsonObject) -> _Found | None:
    job = result.get("job")
    if found := _job(job if isinstance(job, dict) else result):
        return found
    if result.get("status") == "KEEPALIVED":
        return _Found("cryptonote", False, 0.9)
    if len(_text(result.get("data"))) == 256 and len(_text(result.get("target"))) == 64:
        return _Found("getwork", False, 0.95)
    if "previousblockhash" in result and "bits" in result and ("coinbasevalue" in result or "coinbasetxn" in result):
        return _Found("getblocktemplate", False, 0.9)
    if "blocktemplate_blob" in result and "blockhashing_blob" in result:
        return _Found("getblocktemplate", False, 0.9, "XMR")
    return None


def _browser(value: JsonObject) -> _Found | None:
    kind = _text(value.get("type")) or _text(value.get("identifier"))
    inner = value.get("params")
    params = inner if isinstance(inner, dict) else value
    if kind == "auth" and _text(params.get("site_key")):
        return _Found("websocket", True, 1.0, "XMR", login=_text(params.get("site_key")))
    if kind == "handshake" and "pool" in params and _text(params.get("login")):
        login, password = _text(params.get("login")), _text(params.get("password"))
        return _Found("websocket", True, 1.0, login=login, password=password)
    if kind in ("submit", "solved") and all(_text(params.get(name)) for name in ("job_id", "nonce", "result")):
        return _Found("websocket", True, 1.0)
    if kind == "job":
        return _job(params)
    if (kind == "authed" and "token" in params and "hashes" in params) or (
        kind == "hash_accepted" and "hashes" in params
    ):
        return _Found("websocket", False, 0.9, "XMR")
    return None
