"""What the XML reader does with documents that are hostile, huge or broken."""

from __future__ import annotations

import io
import tracemalloc

import pytest

from sentinel.errors import ParseError
from sentinel.observe import masscan_xml, nmap_xml, xml_stream
from sentinel.observe.xml_stream import MAX_CHUNK, MAX_PROLOG
from tests.observe.written import ends_of, host, hosts_of, losses_of, nmap, port, read

SECRET = "file:///etc/hostname"


@pytest.mark.parametrize(
    ("doctype", "named"),
    [
        (f'<!DOCTYPE nmaprun [<!ENTITY secret SYSTEM "{SECRET}">]>', "secret"),
        ('<!DOCTYPE nmaprun [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>', "'a'"),
        (f'<!DOCTYPE nmaprun [<!ENTITY % outer SYSTEM "{SECRET}"> %outer;]>', "outer"),
        (f'<!DOCTYPE nmaprun SYSTEM "{SECRET}">', SECRET),
        ('<!DOCTYPE nmaprun PUBLIC "-//X//Y" "http://192.0.2.1/x.dtd">', "http://192.0.2.1/x.dtd"),
        ("<!DOCTYPE nmaprun [<!ATTLIST host timedout CDATA 'true'>]>", "nmaprun"),
    ],
)
def test_document_when_it_declares_more_than_its_name_is_refused(doctype: str, named: str) -> None:
    with pytest.raises(ParseError, match="refused") as caught:
        read(nmap(host("192.0.2.1"), doctype=doctype))
    assert named in str(caught.value)


@pytest.mark.parametrize("doctype", ["", "<!DOCTYPE nmaprun>", '<!DOCTYPE nmaprun SYSTEM "nmap.dtd">'])
def test_document_when_it_has_nmaps_own_declaration_is_read(doctype: str) -> None:
    assert len(hosts_of(read(nmap(host("192.0.2.1"), doctype=doctype)))) == 1


@pytest.mark.parametrize("encoding", ["utf-7", "gbk", "latin-1", "none-such", "utf-16"])
def test_document_when_it_names_another_encoding_still_declares_nothing(encoding: str) -> None:
    text = nmap(host("192.0.2.1"), doctype='<!DOCTYPE nmaprun [<!ENTITY a "b">]>').replace("UTF-8", encoding)
    with pytest.raises(ParseError):
        read(text)


@pytest.mark.parametrize(("text", "byte"), [("  <!x>", 5), ("\n<!DOCTYPE nmaprun><1>", 20)])
def test_document_when_it_breaks_before_its_root_raises_with_the_byte(text: str, byte: int) -> None:
    with pytest.raises(ParseError, match="before anything whole") as caught:
        list(nmap_xml.parse(io.BytesIO(text.encode())))
    assert caught.value.where == f"byte {byte}"


@pytest.mark.parametrize("encoding", ["gbk", "utf-7", "none-such", "rot13", "punycode"])
def test_document_when_its_encoding_cannot_be_read_says_so(encoding: str) -> None:
    with pytest.raises(ParseError, match="encoding"):
        read(nmap(host("192.0.2.1")).replace("UTF-8", encoding))


def test_document_when_the_declaration_is_far_from_the_start_is_refused() -> None:
    text = f'<!--{"x" * 200_000}--><!DOCTYPE nmaprun [<!ENTITY late "x">]><nmaprun scanner="nmap"/>'
    with pytest.raises(ParseError, match="late"):
        list(nmap_xml.parse(io.BytesIO(text.encode())))


def test_document_when_its_root_never_begins_is_refused() -> None:
    text = f'<!--{"x" * (MAX_PROLOG + 3 * MAX_CHUNK)}--><nmaprun scanner="nmap"/>'
    with pytest.raises(ParseError, match="no root element"):
        list(nmap_xml.parse(io.BytesIO(text.encode())))


def test_document_when_it_uses_an_undeclared_entity_breaks_there() -> None:
    observations = read(nmap(host("192.0.2.1"), host("192.0.2.2", "&secret;")))
    assert len(hosts_of(observations)) == 1
    assert "undefined entity" in losses_of(observations)[0].what


@pytest.mark.parametrize("parse", [nmap_xml.parse, masscan_xml.parse])
@pytest.mark.parametrize("text", ["", "   \r\n", "no xml", "<html></html>", '<?xml version="1.0"?>'])
def test_document_when_it_is_no_scan_raises(parse, text: str) -> None:
    with pytest.raises(ParseError):
        list(parse(io.BytesIO(text.encode())))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_document_when_it_has_a_byte_order_mark_is_read(encoding: str) -> None:
    text = nmap(host("192.0.2.1")).replace(' encoding="UTF-8"', "")
    assert len(hosts_of(read(text.encode(encoding)))) == 1


def test_document_when_blank_lines_come_first_is_read_and_its_bytes_counted() -> None:
    text = "\r\n  \n" + nmap(host("192.0.2.1"))
    assert len(hosts_of(read(text))) == 1
    broken = text.replace("<runstats", "<<runstats")
    assert losses_of(read(broken))[0].where == f"byte {broken.index('<<runstats') + 1}"


def test_document_when_its_lines_end_in_carriage_returns_is_read() -> None:
    observations = read(nmap(host("192.0.2.1", f"<ports>{port(80)}</ports>")).replace("\n", "\r\n"))
    assert [one.port for one in hosts_of(observations)[0].endpoints] == [80]


@pytest.mark.parametrize("chunk", [1, 7, 64, 100_000])
def test_document_when_fed_in_any_chunks_gives_the_same(monkeypatch, chunk: int) -> None:
    text = nmap(*(host(f"192.0.2.{last}", f"<ports>{port(80)}</ports>") for last in range(5)))
    expected = read(text)
    monkeypatch.setattr(xml_stream, "CHUNK", chunk)
    assert read(text) == expected


@pytest.mark.parametrize("chunk", [50, 64 * 1024])
def test_document_when_broken_in_the_middle_tells_the_byte(monkeypatch, chunk: int) -> None:
    monkeypatch.setattr(xml_stream, "CHUNK", chunk)
    text = nmap(host("192.0.2.1"), host("192.0.2.2"), host("192.0.2.3")).replace('addr="192.0.2.3"', "addr=broken")
    observations = read(text)
    assert [str(one.address) for one in hosts_of(observations)] == ["192.0.2.1", "192.0.2.2"]
    (loss,) = losses_of(observations)
    assert observations[-1] is loss
    assert loss.where == f"byte {text.index('broken')}"
    assert "after 2 whole hosts" in loss.what
    assert ends_of(observations) == []


def test_document_when_cut_anywhere_keeps_exactly_the_whole_hosts() -> None:
    text = nmap(host("192.0.2.1", f"<ports>{port(80)}</ports>"), host("192.0.2.2"))
    ends = [place + len("</host>") for place in range(len(text)) if text.startswith("</host>", place)]
    for size in range(ends[0], len(text) - len("</nmaprun>\n")):
        observations = read(text[:size])
        assert len(hosts_of(observations)) == sum(end <= size for end in ends), size
        assert [one.where for one in losses_of(observations)] == [f"byte {size}"], size


def test_document_when_nested_without_end_is_cut_short() -> None:
    text = nmap(host("192.0.2.1")).replace("<runstats", "<a>" * 200_000 + "<runstats")
    observations = read(text)
    assert len(hosts_of(observations)) == 1
    assert "deep" in losses_of(observations)[0].what


def test_document_when_one_element_has_no_end_is_cut_short(monkeypatch) -> None:
    monkeypatch.setattr(xml_stream, "MAX_CHILD", 300_000)
    text = nmap(host("192.0.2.1")).replace("<runstats", '<host x="' + "y" * 1_000_000)
    observations = read(text)
    assert len(hosts_of(observations)) == 1
    assert "more than 300000 bytes" in losses_of(observations)[0].what


def test_document_when_one_element_holds_too_many_is_cut_short(monkeypatch) -> None:
    monkeypatch.setattr(xml_stream, "MAX_ELEMENTS", 10_000)
    text = nmap(host("192.0.2.1")).replace("<runstats", "<host>" + "<a/>" * 1_500_000)
    observations = read(text)
    assert len(hosts_of(observations)) == 1
    assert "elements" in losses_of(observations)[0].what


def test_document_when_long_is_read_in_little_memory() -> None:
    text = nmap(*[host("192.0.2.1", f"<ports>{port(80) * 5}</ports>")] * 10_000).encode()
    tracemalloc.start()
    try:
        count = sum(1 for _ in nmap_xml.parse(io.BytesIO(text)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 10_002
    assert peak < 2 * 2**20 < len(text)
