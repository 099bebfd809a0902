from __future__ import annotations

import re
from ipaddress import ip_address

import pytest
import yaml

from sentinel.assess.compile import Part, compile_term
from sentinel.assess.detection import read_detection
from sentinel.assess.fields import FIELDS
from sentinel.assess.sigma_tree import read_condition
from sentinel.assess.yamlnodes import Complaints, read_yaml
from sentinel.model.rule import Category, FieldValue

ADDRESS = ip_address("10.1.2.3")


def build(detection: str, category: Category = Category.SERVICE) -> Part:
    complaints = Complaints("test")
    node = read_yaml(detection.encode(), complaints)
    assert node is not None, complaints.found
    plain = {"title": "x", "logsource": {"product": "sentinel"}, "detection": yaml.safe_load(detection)}
    term = read_detection(node, plain, FIELDS[category], complaints)
    assert term is not None, complaints.found
    return compile_term(term)


def holds(item: str, fields: dict[str, FieldValue]) -> bool:
    return build(f"selection:\n  {item}\ncondition: selection\n").holds(fields)


VALUES = [
    ("service: Redis", {"service": "redis"}, True),
    ("service: redis", {"service": "REDIS"}, True),
    ("service: redis", {"service": "redis2"}, False),
    ("service: redis", {}, False),
    ("service|cased: Redis", {"service": "redis"}, False),
    ("service|cased: Redis", {"service": "Redis"}, True),
    ("service|contains|cased: Red", {"service": "My Redis"}, True),
    ("service|contains|cased: Red", {"service": "my redis"}, False),
    ("service: [http, https]", {"service": "HTTPS"}, True),
    ("service: [http, 'x*']", {"service": "xyz"}, True),
    ("service: [http, 'x*']", {"service": "ftp"}, False),
    ("title: '*'", {"title": "x"}, True),
    ("title: '*'", {}, False),
    ("title: 'Apache*'", {"title": "apache tomcat"}, True),
    ("title: '*Tomcat'", {"title": "Apache tomcat"}, True),
    ("title: '*ch*'", {"title": "APACHE"}, True),
    ("title: 'A?ache*9'", {"title": "apache tomcat/9"}, True),
    ("title: 'A?ache*9'", {"title": "apache tomcat/8"}, False),
    ("title: 'a*c'", {"title": "a\nb\nc"}, True),
    (r"title: 'a\*b'", {"title": "a*b"}, True),
    (r"title: 'a\*b'", {"title": "axb"}, False),
    ("title: 'a.c*x'", {"title": "abc x"}, False),
    ("title|contains: Tom", {"title": "apache tomcat"}, True),
    ("title|startswith: Tom", {"title": "apache tomcat"}, False),
    ("title|endswith: CAT", {"title": "apache tomcat"}, True),
    ("title|contains|all: [apache, cat]", {"title": "apache tomcat"}, True),
    ("title|contains|all: [apache, dog]", {"title": "apache tomcat"}, False),
    ("title|contains: [dog, cat]", {"title": "apache tomcat"}, True),
    ("title|re: 'tom.+$'", {"title": "apache tomcat"}, True),
    ("title|re: 'TOM'", {"title": "apache tomcat"}, False),
    ("title|re|i: 'TOM'", {"title": "apache tomcat"}, True),
    ("title|re|m: '^b'", {"title": "a\nb"}, True),
    ("title|re: '^b'", {"title": "a\nb"}, False),
    ("title|re|s: 'a.b'", {"title": "a\nb"}, True),
    ("title|re: 'a.b'", {"title": "a\nb"}, False),
    (r"title|re: '^a\*b\d*$'", {"title": "a*b7"}, True),
    ("port: 80", {"port": 80}, True),
    ("port: 80", {"port": 8080}, False),
    ("port: [80, 443]", {"port": 443}, True),
    ("port|lt: 1024", {"port": 1023}, True),
    ("port|lt: 1024", {"port": 1024}, False),
    ("port|lte: 1024", {"port": 1024}, True),
    ("port|gt: 1024", {"port": 1024}, False),
    ("port|gte: 1024", {"port": 1024}, True),
    ("port|gt: 1", {}, False),
    ("guessed: true", {"guessed": True}, True),
    ("guessed: false", {"guessed": True}, False),
    ("guessed: false", {}, False),
    ("title: null", {}, True),
    ("title: null", {"title": "x"}, False),
    ("names: null", {"names": ()}, True),
    ("title: [null, x]", {}, True),
    ("title|exists: true", {"title": "x"}, True),
    ("title|exists: false", {"title": "x"}, False),
    ("title|exists: false", {"names": ()}, True),
    ("address|cidr: 10.0.0.0/8", {"address": ADDRESS}, True),
    ("address|cidr: [192.168.0.0/16, 10.1.0.0/16]", {"address": ADDRESS}, True),
    ("address|cidr: 11.0.0.0/8", {"address": ADDRESS}, False),
    ("address|cidr: 2001:db8::/32", {"address": ADDRESS}, False),
    ("address: 10.1.2.3", {"address": ADDRESS}, True),
    ("address: 10.1.2.*", {"address": ADDRESS}, True),
    ("address: '2001:db8:0::1'", {"address": ip_address("2001:db8::1")}, True),
    ("names: a.example", {"names": ("b.example", "A.example")}, True),
    ("names|endswith: .org", {"names": ("b.example",)}, False),
    ("product|fieldref: service", {"product": "SSH", "service": "ssh"}, True),
    ("product|fieldref: service", {"product": "SSH"}, False),
    ("names|fieldref: title", {"names": ("a", "b"), "title": "B"}, True),
]


@pytest.mark.parametrize(("item", "fields", "wanted"), VALUES)
def test_detection_when_a_value_is_matched_then_it_follows_sigma(item, fields, wanted):
    assert holds(item, fields) is wanted


CONDITIONS = [
    ("a and b", (True, True, False), True),
    ("a and b", (True, False, False), False),
    ("a or b", (False, True, False), True),
    ("a and not b", (True, False, False), True),
    ("not a", (False, False, False), True),
    ("a or b and c", (True, False, False), True),
    ("(a or b) and c", (True, False, False), False),
    ("1 of them", (False, False, True), True),
    ("any of them", (False, False, False), False),
    ("all of them", (True, True, True), True),
    ("all of them", (True, True, False), False),
    ("not 1 of them", (False, False, False), True),
]


@pytest.mark.parametrize(("condition", "facts", "wanted"), CONDITIONS)
def test_detection_when_selections_are_joined_then_it_follows_sigma(condition, facts, wanted):
    selections = "a: {port: 1}\nb: {title: x}\nc: {guessed: true}\n"
    used = set(re.findall(r"\b[abc]\b", condition)) or {"a", "b", "c"}
    kept = "\n".join(line for line in selections.splitlines() if line[0] in used)
    fields: dict[str, FieldValue] = {}
    for name, value, fact in (("port", 1, facts[0]), ("title", "x", facts[1]), ("guessed", True, facts[2])):
        if fact:
            fields[name] = value
    assert build(f"{kept}\ncondition: {condition}\n").holds(fields) is wanted


def test_detection_when_wildcards_name_selections_then_only_those_count():
    part = build("sel_a: {port: 1}\nsel_b: {port: 2}\nother: {title: x}\ncondition: 1 of sel_* and other\n")
    assert part.holds({"port": 2, "title": "x"})
    assert not part.holds({"port": 2})


def test_detection_when_a_selection_is_a_list_then_one_mapping_is_enough():
    part = build("selection:\n  - {port: 1, title: x}\n  - {port: 2}\ncondition: selection\n")
    assert part.holds({"port": 2})
    assert not part.holds({"port": 1})


def test_detection_when_compiled_then_fields_stand_in_order_of_appearance():
    part = build("s: {port: 1, title|contains: [a, b]}\nf: {port: 2, banner: x}\ncondition: s and not f")
    assert part.fields == ("port", "title", "banner")


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        (["keyword"], "keywords"),
        ({"port|expand": "%ports%"}, "placeholder|Expansion"),
        ({"port|nonsense": 1}, "nonsense"),
    ],
)
def test_condition_when_it_has_no_meaning_here_then_it_is_refused(selection, words):
    detection = {"selection": selection, "condition": "selection"}
    plain = {"title": "x", "logsource": {"product": "sentinel"}, "detection": detection}
    with pytest.raises(ValueError, match=words):
        read_condition(plain, FIELDS[Category.SERVICE])
