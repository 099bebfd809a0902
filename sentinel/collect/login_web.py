"""Products that speak HTTP asked without a login: one read-only request each that a login would forbid.

Source: the products' own reference of their interfaces; that of Nacos and Kibana from memory, so that an answer of
another shape proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sentinel.collect.dialer import Dialer, NoAnswerError
from sentinel.collect.http_read import HttpAnswer, http_ask, http_get
from sentinel.collect.login_answer import LEVEL, Asker, LoginAnswer, clean_version
from sentinel.collect.look import ProbeTarget

_FORBIDDEN = frozenset({401, 403, 407})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KUBELET_PORTS = frozenset({10250, 10255})
_ETCD_ONE_KEY = b'{"key":"AA==","range_end":"AA==","limit":"1","count_only":true}'
"""Counts the keys and gives none. Source: etcd API reference, RangeRequest."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the answer to one who is let in tells: its version, how many things it lists."""

    version: object = ""
    listed: int | None = None


Reader = Callable[[HttpAnswer], _Seen | None]
"""Reads an answer; None when it is not the one of the product to somebody it lets in."""


def _asker(path: str, read: Reader) -> Asker:
    """Build the asker of a product that one GET decides."""

    async def ask(target: ProbeTarget, dialer: Dialer) -> LoginAnswer:
        return _judge(await http_get(target, dialer, path, LEVEL), f"GET {path.partition('?')[0]}", read)

    return ask


def _judge(answer: HttpAnswer, proof: str, read: Reader) -> LoginAnswer:
    refusal = _refusal(answer)
    if refusal:
        return LoginAnswer(no_login=False, proof=f"{proof}: {refusal}")
    seen = read(answer) if answer.status == 200 else None
    if seen is None:
        raise NoAnswerError(f"its answer to {proof.lower()} (status {answer.status}) proves nothing")
    return LoginAnswer(no_login=True, proof=proof, version=clean_version(seen.version), listed=seen.listed)


def _refusal(answer: HttpAnswer) -> str:
    """Say how it asks for a login; empty where it does not."""
    if answer.status in _FORBIDDEN:
        return f"HTTP {answer.status}"
    if answer.status in _REDIRECTS and re.search(r"log-?in|sign-?in|auth", answer.headers.get("location", "").lower()):
        return f"HTTP {answer.status} to a login"
    return ""


def _fields(answer: HttpAnswer) -> Mapping[str, object]:
    value = answer.json()
    return value if isinstance(value, dict) else {}


def _inside(value: object, *names: str) -> object:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _elasticsearch(answer: HttpAnswer) -> _Seen | None:
    version = _inside(_fields(answer), "version", "number")
    return _Seen(version) if isinstance(version, str) and "cluster_name" in _fields(answer) else None


def _docker(answer: HttpAnswer) -> _Seen | None:
    found = _fields(answer)
    return _Seen(found.get("Version")) if "ApiVersion" in found and "Version" in found else None


def _couchdb(answer: HttpAnswer) -> _Seen | None:
    names, server = answer.json(), answer.headers.get("server", "")
    if not isinstance(names, list) or not server.lower().startswith("couchdb/"):
        return None
    return _Seen(server[len("couchdb/") :], len(names))


def _clickhouse(answer: HttpAnswer) -> _Seen | None:
    text = answer.body.strip().decode("ascii", "replace")
    is_it = any(name.startswith("x-clickhouse-") for name in answer.headers)
    return _Seen(text) if is_it and re.fullmatch(r"\d+(\.\d+){1,4}\S{0,20}", text) else None


def _influxdb(answer: HttpAnswer) -> _Seen | None:
    results = _fields(answer).get("results")
    version = answer.headers.get("x-influxdb-version", "")
    if not isinstance(results, list) or not results or not version or _inside(results[0], "error"):
        return None
    series = _inside(results[0], "series")
    rows = _inside(series[0], "values") if isinstance(series, list) and series else ()
    return _Seen(version, len(rows) if isinstance(rows, list) else 0)


def _nacos(answer: HttpAnswer) -> _Seen | None:
    found = _fields(answer)
    count = found.get("count")
    return _Seen(listed=count) if type(count) is int and isinstance(found.get("doms"), list) else None


def _jenkins(answer: HttpAnswer) -> _Seen | None:
    version = answer.headers.get("x-jenkins", "")
    return _Seen(version) if version and "mode" in _fields(answer) else None


def _jupyter(answer: HttpAnswer) -> _Seen | None:
    found = _fields(answer)
    return _Seen() if {"started", "kernels", "connections"} <= found.keys() else None


def _kibana(answer: HttpAnswer) -> _Seen | None:
    spaces = answer.json()
    is_it = isinstance(spaces, list) and all(isinstance(_inside(one, "id"), str) for one in spaces)
    return _Seen(listed=len(spaces)) if is_it and isinstance(spaces, list) and spaces else None


def _consul(answer: HttpAnswer) -> _Seen | None:
    version = _inside(_fields(answer), "Config", "Version")
    return _Seen(version) if isinstance(version, str) and "Member" in _fields(answer) else None


def _prometheus(answer: HttpAnswer) -> _Seen | None:
    found = _fields(answer)
    version = _inside(found, "data", "version")
    return _Seen(version) if found.get("status") == "success" and isinstance(version, str) else None


def _is_list_of(kind: str) -> Reader:
    """Build a reader that knows a Kubernetes list by its kind, even where it was cut off."""
    pattern = re.compile(rb'"kind"\s*:\s*"' + kind.encode() + b'"')
    return lambda answer: _Seen() if pattern.search(answer.body[:4096]) else None


async def _ask_kubernetes(target: ProbeTarget, dialer: Dialer) -> LoginAnswer:
    """Ask a kubelet for its pods, an API server for its version, which everybody may read, and for a namespace."""
    if target.port in _KUBELET_PORTS:
        return await _asker("/pods", _is_list_of("PodList"))(target, dialer)
    version = _fields(await http_get(target, dialer, "/version", LEVEL)).get("gitVersion")
    found = await _asker("/api/v1/namespaces?limit=1", _is_list_of("NamespaceList"))(target, dialer)
    return LoginAnswer(found.no_login, found.proof, clean_version(version), found.listed)


async def _ask_etcd(target: ProbeTarget, dialer: Dialer) -> LoginAnswer:
    """Ask etcd for its version, which everybody may read, then how many keys there are in a range that holds one.

    The count is asked by POST, the only way its interface has for reading; nothing is put.
    """
    version = _fields(await http_get(target, dialer, "/version", LEVEL)).get("etcdserver")
    if not isinstance(version, str):
        raise NoAnswerError("it does not answer as etcd does")
    for path in ("/v3/kv/range", "/v3beta/kv/range"):
        answer = await http_ask(target, dialer, f"POST {path} HTTP/1.1", LEVEL, _ETCD_ONE_KEY)
        words = str(_fields(answer).get("error", "")).lower()
        if "user name is empty" in words or "permission denied" in words:
            return LoginAnswer(no_login=False, proof="range: user name is empty", version=clean_version(version))
        if answer.status != 404:
            found = _judge(answer, "range", lambda one: _Seen() if "header" in _fields(one) else None)
            return LoginAnswer(found.no_login, found.proof, clean_version(version))
    raise NoAnswerError("it has no interface this sentinel can read")


WEB_ASKERS: Mapping[str, Asker] = MappingProxyType(
    {
        "elasticsearch": _asker("/", _elasticsearch),
        "docker": _asker("/version", _docker),
        "kubernetes": _ask_kubernetes,
        "etcd": _ask_etcd,
        "couchdb": _asker("/_all_dbs", _couchdb),
        "clickhouse": _asker("/?query=SELECT%20version()", _clickhouse),
        "influxdb": _asker("/query?q=SHOW%20DATABASES", _influxdb),
        "nacos": _asker("/nacos/v1/ns/service/list?pageNo=1&pageSize=1", _nacos),
        "jenkins": _asker("/api/json?tree=mode", _jenkins),
        "jupyter": _asker("/api/status", _jupyter),
        "kibana": _asker("/api/spaces/space", _kibana),
        "consul": _asker("/v1/agent/self", _consul),
        "prometheus": _asker("/api/v1/status/buildinfo", _prometheus),
    }
)
"""How each product that speaks HTTP is asked, by its name."""
