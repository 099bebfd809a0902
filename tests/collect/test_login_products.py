"""Which product an open port is asked as."""

from __future__ import annotations

import pytest

from sentinel.collect.login_products import BY_PORT, BY_SERVICE, WORDS, product_of
from sentinel.collect.probe_login import ASKERS


@pytest.mark.parametrize(
    ("service", "words", "port", "guessed", "product"),
    [
        ("redis", "", 7000, False, "redis"),
        ("X11", "X.Org", 6001, False, "x11"),
        ("mongod", "", 27017, True, "mongodb"),
        ("wap-wsp", "", 9200, True, "elasticsearch"),
        ("redis", "", 7000, True, "redis"),
        ("", "", 2375, False, "docker"),
        ("http", "Elasticsearch REST API", 80, False, "elasticsearch"),
        ("http", "Elasticsearch Kibana Kibana", 443, False, "kibana"),
        ("http", "nginx Dashboard [Jenkins]", 8080, False, "jenkins"),
        ("http", "nginx Student Consulting Centre", 80, False, ""),
        ("http", "nginx Consul by HashiCorp", 80, False, "consul"),
        ("http", "nginx", 9200, False, "elasticsearch"),
        ("http", "nginx", 6379, False, ""),
        ("ssl", "", 8883, False, "mqtt"),
        ("http", "nginx 学校主页", 80, False, ""),
        ("ssh", "", 6379, False, ""),
        ("ftp", "vsftpd", 21, False, ""),
        ("ftp", "", 21, True, ""),
        ("", "", 4444, False, ""),
    ],
)
def test_product_when_a_port_is_described_then_it_is_named(service, words, port, guessed, product) -> None:
    assert product_of(service, words, port, guessed=guessed) == product


def test_products_when_named_anywhere_then_each_can_be_asked() -> None:
    assert {*BY_SERVICE.values(), *BY_PORT.values(), *(product for _, product in WORDS)} == set(ASKERS)
