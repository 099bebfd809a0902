"""A small home in which everything foreign is hostile: banners, titles, names, certificates, findings, a register."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

from sentinel.model.endpoint import Coverage, Endpoint, EndpointKey, EndpointState, Fingerprint, Run
from sentinel.model.evidence import Evidence
from sentinel.model.finding import Finding, FindingKey, FindingSource, FindingState
from sentinel.model.observation import Certificate
from sentinel.model.register import RegisterEntry
from sentinel.model.rule import Severity
from sentinel.model.unit import Network, Zone
from sentinel.store import endpoints as store
from sentinel.store.evidence import write_evidence
from sentinel.store.findings import write_findings
from sentinel.store.idset import IdSet
from sentinel.store.register import write_register
from sentinel.store.runs import NewRun, RunChanges, finish_run, write_run
from sentinel.store.units import write_network
from tests.homes import NOW, SCHOOL, opened
from tests.report.facts_factory import HOSTILE, digest

STRINGS = (
    *HOSTILE,
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "<svg/onload=alert(1)>",
    "'-alert(1)-'",
    "</title><script>alert(1)</script>",
    '<a href="javascript:alert(1)" hx-get="/leave" hx-trigger="load">x</a>',
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "A" * 100_000,
    "a\x00b\x00\x1b]0;x\x07",
    "=HYPERLINK(1)",
)


def make_hostile_home(path: Path) -> None:
    """Make the home; each string stands in every place where foreign text goes."""
    with opened(path) as context, context.database.transaction("tester", NOW, objects=True) as transaction:
        prefix = ip_network("10.66.0.0/24")
        network = write_network(transaction, Network(0, SCHOOL.code, HOSTILE[0], Zone.SERVER, (prefix,)))
        sha256 = digest("hostile")
        write_evidence(transaction, Evidence(sha256, 100, '"><b>.xml', "nmap-xml", NOW))
        run = Run(
            id=0,
            unit=SCHOOL.code,
            kind="import",
            evidence=sha256,
            source='"><img src=x onerror=alert(1)>.xml',
            format="nmap-xml",
            tool="<script>alert(1)</script>",
            vantage="inside",
            operator="",
            time=NOW - timedelta(hours=1),
            time_quality="stated",
            hosts_up=len(STRINGS),
            endpoints_open=len(STRINGS),
            observations=1,
            events=1,
        )
        number = write_run(transaction, NewRun(run, NOW), Coverage())
        ids = IdSet(range(1, len(STRINGS) + 1))
        finish_run(transaction, number, events=1, held=False, changes=RunChanges(confirmed=ids, opened=ids))
        findings = []
        for index, words in enumerate(STRINGS, start=1):
            address = ip_address(f"10.66.0.{index}")
            us = int((NOW.timestamp() - 3600) * 1_000_000)
            store.write_hosts(transaction, [(network.id, str(address), words[:40], words, words, True, us)])
            store.write_names(transaction, [(network.id, str(address), words, words[:30], us)])
            endpoint = _endpoint(index, network.id, address, words, run.time)
            store.write_opened(transaction, [replace(endpoint, opened_by=number)])
            findings.append((_finding(network.id, f"{address}:80/tcp", words, sha256), "", words))
            findings.append((_finding(0, words[:300], words, ""), "", words))
        write_findings(transaction, findings)
        write_register(transaction, [_entry(row, words) for row, words in enumerate(STRINGS, start=1)], None)
        transaction.audit("test.hostile", "home", after={"strings": len(STRINGS)})
    folder = path / "var" / "reports" / SCHOOL.code
    folder.mkdir(parents=True)
    page = "<!doctype html><title>x</title><script>alert(1)</script><img src=x onerror=alert(1)><p>报告正文</p>"
    (folder / "school-20261122-1200.html").write_text(page, encoding="utf-8")
    (folder / '"><img src=x onerror=alert(1)>.html').write_text(page, encoding="utf-8")
    (folder / "data.json").write_text("{}", encoding="utf-8")
    (folder / "secret.html").symlink_to("/etc/passwd")


def _endpoint(index: int, network: int, address: object, words: str, at: object) -> Endpoint:
    certificate = Certificate(
        sha256=digest(f"hostile {index}"),
        subject=words,
        issuer=words,
        names=(words, words),
        not_before=NOW,
        not_after=NOW,
        key_type="rsa",
        key_bits=2048,
        signature=words[:40],
        self_signed=True,
    )
    return Endpoint(
        key=EndpointKey(network, "inside", address, "tcp", 80),  # type: ignore[arg-type]
        state=EndpointState.OPEN,
        fingerprint=Fingerprint(words[:200], False, words, words, "ssl", certificate.sha256),
        valid_from=at,  # type: ignore[arg-type]
        extra=words,
        title=words,
        certificate=certificate,
        id=index,
    )


def _finding(network: int, subject: str, words: str, evidence: str) -> Finding:
    return Finding(
        id=0,
        number="",
        key=FindingKey(SCHOOL.code, "exposure.test", network, subject),
        source=FindingSource.OWN_SCAN,
        severity=Severity.HIGH,
        state=FindingState.OPEN,
        first_seen=NOW,
        last_seen=NOW,
        due=NOW,
        clauses=(words[:50],),
        evidence=evidence,
        title_zh=words,
        title_en=words,
        remediation_zh=words,
        remediation_en=words,
        detail=words,
        why=words,
        by=words,
    )


def _entry(row: int, words: str) -> RegisterEntry:
    return RegisterEntry(
        id=0,
        unit=SCHOOL.code,
        source=words[:200],
        source_sha256=digest("register"),
        sheet="",
        row=row,
        system=words,
        addresses=(ip_network(f"10.66.0.{row}"),),
        department=words[:300],
        mlps_level=words[:30],
    )
