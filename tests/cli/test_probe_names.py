"""`probe` of sites and domains from the shell: what may be looked at, what was found, and what to do about it."""

from __future__ import annotations

from pathlib import Path

from sentinel.drill.servers import planted_sites
from tests.cli.command import Sentinel
from tests.cli.written import host, nmap, service
from tests.collect.resolving import RESOLVER, resolving
from tests.collect.standing import standing
from tests.collect.test_probing import HERE

ZONE = "@ 60 IN SOA ns1 h 1 2 3 4 5\n@ 60 IN NS ns1\n@ 60 IN NS ns2\n@ 60 IN MX 5 mail\n"


def rules(sentinel: Sentinel) -> set[str]:
    return {row["rule"] for row in sentinel.rows("finding", "list") if row["rule"].startswith(("web.", "dns."))}


def test_probe_when_a_site_leaks_then_it_is_found_with_what_to_do(sentinel: Sentinel, tmp_path: Path) -> None:
    site = planted_sites.leaking_site(80, "示例中学", "1.22.1")
    with standing(site, address=str(HERE)) as (port,):
        path = tmp_path / "scan.xml"
        path.write_text(nmap(host(str(HERE), service(port, "http")), asked=str(port), target=str(HERE)), "utf-8")
        sentinel.run("import", path)
        sentinel.authorise(f"{HERE}/32", level="check")
        assert sentinel.rows("probe", "--plan")[-1]["summary"] == {"planned": 1, "kinds": {"web": 1}, "refused": 0}
        look, last = sentinel.rows("probe", "--kind", "web", str(HERE))
        assert (look["kind"], look["port"], look["values"]["exposed"]) == ("web", port, ["git", "backup"])
        assert last["summary"]["answered"] == 1
        assert sentinel.rows("probe", "127.77.99.0/24")[-1]["summary"]["planned"] == 0
    assert {"web.git-exposed", "web.backup-exposed"} <= rules(sentinel)


def test_probe_when_a_domain_is_authorised_then_it_is_asked_of_the_resolver_of_the_settings(sentinel: Sentinel) -> None:
    sentinel.authorise("school.example", level="service")
    with resolving({"school.example": ZONE}) as port:
        env = {"SENTINEL_RESOLVER": f"{RESOLVER}#{port}"}
        assert "域名记录 1" in sentinel.run("probe", "--plan", env=env).out
        look, last = sentinel.rows("probe", env=env)
        named = sentinel.rows("probe", "--kind", "dns", "SCHOOL.example.", env=env)
    assert (look["event"], look["address"], look["name"], look["kind"]) == ("look", None, "school.example", "dns")
    assert (look["values"]["spf_state"], last["summary"]["sent"]) == ("missing", 0)
    assert named[0]["name"] == "school.example"
    assert rules(sentinel) == {"dns.spf-missing", "dns.dmarc-missing", "dns.no-caa", "dns.no-dnssec"}


def test_probe_when_a_domain_is_not_authorised_then_nobody_is_asked(untouched: Sentinel) -> None:
    done = untouched.run("probe", "--kind", "dns", "other.example", "--json", expect=5)
    assert '"reason": "unauthorised"' in done.out
    assert "nothing was sent" in done.complaint
    assert untouched.rows("probe", "--kind", "dns")[0]["summary"]["planned"] == 0
    assert "no such" not in untouched.run("probe", "10.0.0.0/99", expect=2).complaint
