from __future__ import annotations

import pytest

from sentinel.collect.tally import Tally

XML = b"""<?xml version="1.0"?>
<nmaprun scanner="nmap" version="7.93">
<hosthint><status state="up" reason="arp-response"/></hosthint>
<host><status state="down" reason="no-response" reason_ttl="0"/>
<address addr="192.0.2.1" addrtype="ipv4"/>
</host>
<host><status state="up" reason="user-set"/><address addr="192.0.2.2" addrtype="ipv4"/>
<ports><extraports state="filtered" count="40">
<extrareasons reason="no-response" count="40" proto="tcp" ports="1-40"/>
</extraports>
<extraports state="closed" count="5"><extrareasons reason="reset" count="5" proto="tcp" ports="41-45"/></extraports>
<port protocol="tcp" portid="80"><state state="open" reason="syn-ack"/><service product="&lt;/host&gt;"/></port>
<port protocol="udp" portid="53"><state state="open|filtered" reason="no-response"/></port>
<port protocol="tcp" portid="81"><state state="filtered" reason="no-response"/></port>
<port protocol="tcp" portid="82"><state state="filtered" reason="admin-prohibited"/></port>
</ports></host>
<runstats><finished exit="success"/></runstats>
</nmaprun>"""


@pytest.mark.parametrize("size", [1, 7, 64, 100000])
def test_tally_when_fed_in_chunks_of_any_size_then_same_counts(size: int) -> None:
    tally = Tally()
    for start in range(0, len(XML), size):
        tally.feed(XML[start : start + size])
    tally.finish()
    assert (tally.hosts, tally.down, tally.open, tally.silent, tally.ended) == (2, 1, 1, 42, True)


def test_tally_when_cut_short_then_whole_hosts_count_and_no_end() -> None:
    tally = Tally()
    tally.feed(XML[: XML.index(b"<runstats")])
    tally.finish()
    assert (tally.hosts, tally.ended) == (2, False)


def test_probes_when_read_then_silent_ports_twice_and_services_once_more() -> None:
    tally = Tally(hosts=3, down=1, open=2, silent=10)
    assert tally.probes(48, services=False) == 2 * 48 + 10 + 1
    assert tally.probes(48, services=True) == 2 * 48 + 10 + 1 + 2


def test_tally_when_a_line_never_ends_then_memory_stays_small() -> None:
    tally = Tally()
    for _ in range(20):
        tally.feed(b"x" * (1 << 18))
    assert len(tally._rest) <= 1 << 20


PROGRESS = b"""<taskbegin task="SYN Stealth Scan" time="1"/>
<taskprogress task="SYN Stealth Scan" time="2" percent="41.67" remaining="3" etc="5"/>
<taskbegin task="Service scan" time="6"/>
<taskprogress task="Service scan" time="9" percent="7.50" remaining="30" etc="39"/>
<port protocol="tcp" portid="80"><service product="&lt;taskprogress percent=&quot;99&quot;/&gt;"/></port>
"""


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (0, ("", 0.0)),
        (1, ("syn stealth scan", 0.0)),
        (2, ("syn stealth scan", 41.67)),
        (3, ("service scan", 0.0)),
        (5, ("service scan", 7.5)),
    ],
)
def test_tally_when_nmap_tells_its_progress_then_the_newest_stage_and_share(
    lines: int, expected: tuple[str, float]
) -> None:
    tally = Tally()
    for line in PROGRESS.splitlines(keepends=True)[:lines]:
        tally.feed(line)
    assert (tally.stage, tally.percent) == expected
