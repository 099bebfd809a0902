"""Rules written for logs, as others write them, are read unchanged."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address

import pytest

from sentinel.assess.judge import judge
from sentinel.assess.pack import check_pack, load_pack
from sentinel.model.rule import Category, Severity, Subject
from tests.assess.texts import RULE

NOW = datetime(2026, 11, 22, tzinfo=UTC)

ZEEK = """\
title: Download Of A Script By A Command Line Tool
id: 6d1f0b5e-7c3a-4d2e-9a8b-0c1d2e3f4a5c
status: test
description: Detects it.
references:
    - https://example.org/about
author: Somebody
date: 2024/01/01
modified: 2024-02-02
tags:
    - attack.command-and-control
    - attack.T1105
    - car.2013-01-001
logsource:
    product: zeek
    service: http
detection:
    tool:
        user_agent|startswith:
            - 'curl/'
            - 'Wget/'
    script:
        uri|endswith: '.sh'
        status_code: 200
    port:
        id.resp_p|gte: 1024
    inside:
        id.resp_h|cidr: '10.0.0.0/8'
    condition: tool and script and port and not inside
falsepositives:
    - Administrators
level: high
custom_key: anything
"""
DNS = """\
title: Names Under A Strange Domain
id: 7d1f0b5e-7c3a-4d2e-9a8b-0c1d2e3f4a5c
logsource:
    category: dns
detection:
    selection:
        query|endswith: '.strange.example'
        record_type: 'TXT'
    condition: selection
"""


def subject(source: tuple[str, ...], **fields: object) -> Subject:
    return Subject(Category.LOG, "u", 1, "10.1.0.7", {"log_source": source} | fields)  # type: ignore[arg-type]


def http(**changes: object) -> Subject:
    fields = {"user_agent": "curl/8", "uri": "/x.sh", "status_code": 200, "id.resp_p": 8080}
    return subject(("zeek.http",), **(fields | {"id.resp_h": ip_address("192.0.2.1")} | changes))


def test_rule_of_zeek_when_read_then_it_judges_the_rows_of_its_log(make_pack) -> None:
    pack = load_pack([make_pack({"a.yml": RULE, "demo/net_http_download.yml": ZEEK})])
    _, rule = pack.rules
    assert (rule.name, rule.severity, rule.category) == ("sigma.net-http-download", Severity.HIGH, Category.LOG)
    assert rule.zh.title == rule.en.title == "Download Of A Script By A Command Line Tool"
    assert rule.zh.remediation != rule.en.remediation != ""
    fires = [http(), http(user_agent="wget/1"), http(uri="/X.SH")]
    quiet = [
        http(status_code=404),
        http(**{"id.resp_p": 80}),
        http(**{"id.resp_h": ip_address("10.2.0.1")}),
        subject(("zeek.conn",), **{k: v for k, v in http().fields.items() if k != "log_source"}),
    ]
    assert [one.subject for one in judge(pack, [*fires, *quiet], NOW)] == fires


def test_rule_of_dns_when_read_then_it_judges_dns_rows_of_any_log(make_pack) -> None:
    pack = load_pack([make_pack({"a.yml": RULE, "dns.yml": DNS})])
    assert pack.rules[1].severity is Severity.MEDIUM
    asked = subject(("zeek.dns", "dns"), query="a.Strange.example", record_type="TXT")
    other = subject(("zeek.http",), query="a.strange.example", record_type="TXT")
    assert [one.subject for one in judge(pack, [asked, other], NOW)] == [asked]


def test_rule_about_logs_when_it_has_cases_then_they_are_tried(make_pack) -> None:
    source = "log_source: [dns], query: x.strange.example, record_type: TXT"
    good = DNS + f"cases:\n  fires: {{{source}}}\n  quiet: {{query: y}}\n"
    assert check_pack([make_pack({"a.yml": RULE, "dns.yml": good})]) == ()
    bad = DNS + f"cases:\n  fires: {{query: y}}\n  quiet: {{{source}}}\n"
    assert [one.line for one in check_pack([make_pack({"a.yml": RULE, "dns.yml": bad})])] == [11, 12]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{product: windows, service: security}", "must be sentinel"),
        ("{category: process_creation, product: linux}", "must be sentinel"),
        ("{product: sentinel, category: log}", "must be one of"),
        ("{product: zeek}", "must be sentinel"),
        ("{product: windows, category: dns}", "must be sentinel"),
    ],
)
def test_rule_for_another_log_is_refused_by_its_line(make_pack, source: str, words: str) -> None:
    text = DNS.replace("logsource:\n    category: dns\n", f"logsource: {source}\n")
    mistakes = check_pack([make_pack({"a.yml": RULE, "dns.yml": text})])
    assert any(words in one.message and one.line == 3 for one in mistakes), list(map(str, mistakes))
