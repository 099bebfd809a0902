"""What the map says of an open port in; which product to ask whether it wants a login out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

BY_SERVICE: Mapping[str, str] = MappingProxyType(
    {
        "redis": "redis",
        "memcached": "memcached",
        "memcache": "memcached",
        "mongodb": "mongodb",
        "mongod": "mongodb",
        "zookeeper": "zookeeper",
        "kafka": "kafka",
        "mqtt": "mqtt",
        "secure-mqtt": "mqtt",
        "vnc": "vnc",
        "x11": "x11",
        "rsync": "rsync",
        "nfs": "nfs",
        "docker": "docker",
        "docker-s": "docker",
        "etcd": "etcd",
        "etcd-client": "etcd",
        "elasticsearch": "elasticsearch",
        "couchdb": "couchdb",
        "kubernetes": "kubernetes",
        "clickhouse": "clickhouse",
        "influxdb": "influxdb",
        "nacos": "nacos",
        "consul": "consul",
    }
)
"""Product by the name of the service, lower case, as nmap writes it."""

WORDS: tuple[tuple[str, str], ...] = (
    ("kibana", "kibana"),  # nmap calls it Elasticsearch Kibana
    ("elasticsearch", "elasticsearch"),
    ("opensearch rest", "elasticsearch"),
    ("couchdb", "couchdb"),
    ("docker", "docker"),
    ("kubernetes", "kubernetes"),
    ("kubelet", "kubernetes"),
    ("etcd", "etcd"),
    ("clickhouse", "clickhouse"),
    ("influxdb", "influxdb"),
    ("nacos", "nacos"),
    ("jenkins", "jenkins"),
    ("jupyter", "jupyter"),
    ("select or create a notebook", "jupyter"),
    ("consul", "consul"),
    ("prometheus", "prometheus"),
)
"""Product by a word in what a web service says of itself."""

BY_PORT: Mapping[int, str] = MappingProxyType(
    {
        2375: "docker",
        2376: "docker",
        2379: "etcd",
        5601: "kibana",
        5984: "couchdb",
        6443: "kubernetes",
        8086: "influxdb",
        8123: "clickhouse",
        8500: "consul",
        8848: "nacos",
        8888: "jupyter",
        9090: "prometheus",
        9200: "elasticsearch",
        10250: "kubernetes",
        10255: "kubernetes",
        2181: "zookeeper",
        6379: "redis",
        9092: "kafka",
        11211: "memcached",
        27017: "mongodb",
        1883: "mqtt",
        8883: "mqtt",
    }
)
"""Product by its usual port, for services that are web services or whose name only follows from the port."""

TLS_PORTS = frozenset({2376, 6443, 8883, 10250})
"""Ports on which a service of which only the port is known speaks inside TLS."""

_NO_WEB = frozenset({"redis", "memcached", "mongodb", "zookeeper", "kafka", "mqtt"})
"""Products that speak no HTTP: a web service on their port is something else."""

_WEB = frozenset({"http", "https", "ssl", "tls", "http-proxy", "http-alt"})


def product_of(service: str, words: str, port: int, *, guessed: bool) -> str:
    """Name the product to ask; empty for what this sentinel knows no request for.

    FTP is none of them: its anonymous login is a name and a password all the same, and none is ever sent.

    Args:
        service: the service's name on the map; empty when unknown.
        words: product and title as it told them.
        port: its port.
        guessed: the name only follows from the port.
    """
    name = service.lower()
    if name in BY_SERVICE and not guessed:
        return BY_SERVICE[name]
    if guessed or not name:
        return BY_PORT.get(port) or BY_SERVICE.get(name, "")
    if name not in _WEB:
        return ""
    found = next((product for word, product in WORDS if re.search(rf"\b{word}\b", words, re.IGNORECASE)), "")
    usual = BY_PORT.get(port, "")
    return found or (usual if name in {"ssl", "tls"} or usual not in _NO_WEB else "")
