from __future__ import annotations

import subprocess
import sys

import pytest

from sentinel.errors import ParseError
from sentinel.observe import PARSERS, choose_parser
from sentinel.observe.lines import BOM
from tests.observe.written import conn, conn_log, host, nmap

MASSCAN_XML = '<?xml version="1.0"?>\n<!-- masscan v1.0 scan -->\n<nmaprun scanner="masscan" start="1">'
MASSCAN_ROW = '{   "ip": "192.0.2.1",   "timestamp": "1790000000", "ports": [ {"port": 80'


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (nmap(host("192.0.2.1")), "nmap-xml"),
        (nmap(doctype=""), "nmap-xml"),
        ("<nmaprun args='x'>", "nmap-xml"),
        ('<?xml version="1.0"?>\n<!-- Nmap 4.53 scan initiated as: nmap ' + "x" * 9_000, "nmap-xml"),
        ('<!DOCTYPE nmaprun [<!ENTITY a "b">]>', "nmap-xml"),
        (MASSCAN_XML, "masscan-xml"),
        (MASSCAN_XML.replace('"masscan"', "'masscan'"), "masscan-xml"),
        (f"[\n{MASSCAN_ROW}", "masscan-json"),
        (MASSCAN_ROW, "masscan-json"),
        ('{"ip":"192.0.2.1","timestamp":"1","port":80,"proto":"tcp","rec_type":"status"', "masscan-json"),
        ("[\n]\n", "masscan-json"),
        ("[\n{finished: 1}\n]\n", "masscan-json"),
        ("#masscan\nopen tcp 80", "masscan-list"),
        ("open tcp 80 192.0.2.1 1790000000", "masscan-list"),
        ("banner udp 53 2001:db8::1 1790000000 dns x\n", "masscan-list"),
        (conn_log(conn()), "zeek"),
        ("### any comment\n#separator \\x09\n", "zeek"),
        ("#fields\tts\tuid\n", "zeek"),
        ('{"ts":1.5,"uid":"C1","id.orig_h":"192.0.2.1"', "zeek"),
        ('{"_path":"conn","_system_name":"x","ts":1', "zeek"),
        ('{"ts":1.5,"host":"192.0.2.1"}\n', "zeek"),
        ('{"ts":1.5,"uids":["C1"],"mac":"00:00:5e:00:53:01","assigned_addr":"192.0.2.1"}\n', "zeek"),
        ("# The format of this file is documented in the dhcpd.leases(5) manual page.\n", "dhcpd-leases"),
        ("\nlease 192.0.2.1 {\r\n", "dhcpd-leases"),
        ('server-duid "\\000";\n', "dhcpd-leases"),
        ('ia-na "x" {', "dhcpd-leases"),
        ("address,hwaddr,client_id,valid_lifetime,expire,subnet_id\n", "kea-leases"),
        ("address,duid,valid_lifetime,expire,subnet_id\n", "kea-leases"),
    ],
)
@pytest.mark.parametrize("mark", [b"", BOM])
def test_parser_when_the_head_is_of_a_known_format_is_chosen(head: str, name: str, mark: bytes) -> None:
    assert choose_parser(mark + head.encode(), "file").name == name


@pytest.mark.parametrize(
    "head",
    [
        b"PK\x03\x04",
        b"\x1f\x8b\x08",
        b"<html><body>nmaprun</body></html>",
        b"<?xml version='1.0'?><feed/>",
        b"name,address\nx,192.0.2.1\n",
        b"address,hwaddr\n192.0.2.1,x\n",
        b'lease {\n  interface "eth0";\n}\n',
        b"# a comment\n192.0.2.1 host\n",
        b'{"timestamp":"2026-01-01T00:00:00Z","kind":"flow"}',
        b'{"ts":1,"level":"info","msg":"started"}\n',
        b'{"ts":\xff\n',
        b'[{"a":1}]',
        b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00",
        b"# Nmap 7.93 scan initiated as: nmap -oG - 192.0.2.1\nHost: 192.0.2.1 ()\tStatus: Up\n",
    ],
)
def test_parser_when_the_format_is_foreign_raises_and_names_the_file(head: bytes) -> None:
    with pytest.raises(ParseError, match=r"^some\.bin: not a format sentinel reads") as caught:
        choose_parser(head, "some.bin")
    assert caught.value.where == "some.bin"


@pytest.mark.parametrize("head", [b"", b" \r\n"])
def test_parser_when_the_file_is_empty_says_so(head: bytes) -> None:
    with pytest.raises(ParseError, match="empty file"):
        choose_parser(head, "some.xml")


def test_parsers_when_listed_have_names_of_their_own() -> None:
    names = [parser.name for parser in PARSERS]
    assert len(set(names)) == len(names)


def test_stage_when_imported_loads_nothing_heavy() -> None:
    code = "import sys, sentinel.observe; print(*sorted({'numpy', 'sqlmodel', 'scapy', 'socket'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
