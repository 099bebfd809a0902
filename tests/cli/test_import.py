"""`import`, `map` and `diff`: what other tools found becomes a dated map."""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path

import pytest

from tests.cli.command import UNIT, Sentinel
from tests.cli.written import START, host, masscan_json, nmap, service, zeek_known_services

ROW = ["file", "format", "hosts_up", "endpoints_open", "observations", "events", "lost", "error"]
MAP_ROW = [
    "unit", "network", "zone", "vantage", "address", "proto", "port", "service", "product", "version", "names", "state",
    "valid_from", "last_confirmed",
]  # fmt: skip
BEFORE = nmap(
    host(
        "192.0.2.1",
        service(22, "ssh", product="OpenSSH", version="9.2p1"),
        service(80, "http", product="nginx", version="1.22.1"),
        service(25, state="filtered"),
        names=["www.school.example"],
    ),
    host("192.0.2.2", service(443, "http", tunnel="ssl"), service(8080, "http")),
)
AFTER = nmap(
    host(
        "192.0.2.1",
        service(22, "ssh", product="OpenSSH", version="9.9p1"),
        service(80, state="closed"),
        service(21, "ftp"),
    ),
    host("192.0.2.2", service(443, "http", tunnel="ssl"), service(8080, "http")),
    start=START + 86_400,
)


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_import_when_a_file_is_read_gives_its_counts_and_keeps_the_bytes(sentinel: Sentinel, tmp_path: Path) -> None:
    file = write(tmp_path, "before.xml", BEFORE)
    (row,) = sentinel.rows("import", file)
    assert list(row)[: len(ROW)] == ROW
    assert {name: row[name] for name in ROW} == {
        "file": str(file), "format": "nmap-xml", "hosts_up": 2, "endpoints_open": 4, "observations": 2, "events": 4,
        "lost": None, "error": None,
    }  # fmt: skip
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert row["evidence"] == digest
    assert (sentinel.home / "var" / "evidence" / digest[:2] / f"{digest[2:]}.zst").is_file()
    assert row["time"] == "2026-09-21T14:14:20Z"


def test_map_when_a_file_was_imported_has_every_field(sentinel: Sentinel, tmp_path: Path) -> None:
    sentinel.run("import", write(tmp_path, "before.xml", BEFORE))
    rows = sentinel.rows("map")
    assert all(list(row)[: len(MAP_ROW)] == MAP_ROW for row in rows)
    assert [(row["address"], row["port"]) for row in rows] == [
        ("192.0.2.1", 22), ("192.0.2.1", 80), ("192.0.2.2", 443), ("192.0.2.2", 8080),
    ]  # fmt: skip
    assert {name: rows[0][name] for name in MAP_ROW} == {
        "unit": UNIT, "network": "default", "zone": "unknown", "vantage": "inside", "address": "192.0.2.1",
        "proto": "tcp", "port": 22, "service": "ssh", "product": "OpenSSH", "version": "9.2p1",
        "names": ["www.school.example"], "state": "open", "valid_from": "2026-09-21T14:14:20Z",
        "last_confirmed": "2026-09-21T14:14:20Z",
    }  # fmt: skip
    assert rows[2]["tunnel"] == "ssl"


def test_import_when_the_same_file_comes_twice_has_no_events(sentinel: Sentinel, tmp_path: Path) -> None:
    file = write(tmp_path, "before.xml", BEFORE)
    first, second = sentinel.rows("import", file, file)
    assert (first["events"], second["events"]) == (4, 0)
    assert (second["known"], second["hosts_up"], second["endpoints_open"]) == (True, 2, 4)
    copy = write(tmp_path, "copy.xml", BEFORE)
    assert sentinel.rows("import", copy)[0]["events"] == 0
    assert "此前已导入" in sentinel.run("import", file).out


def test_diff_when_a_later_file_differs_tells_each_change_once(sentinel: Sentinel, tmp_path: Path) -> None:
    sentinel.run("import", write(tmp_path, "before.xml", BEFORE))
    (row,) = sentinel.rows("import", write(tmp_path, "after.xml", AFTER))
    assert row["events"] == 3
    changes = sentinel.rows("diff", "--from", "2026-09-21", "--to", "2026-09-23")
    assert [(one["change"], one["address"], one["port"]) for one in changes] == [
        ("new", "192.0.2.1", 21), ("changed", "192.0.2.1", 22), ("gone", "192.0.2.1", 80),
    ]  # fmt: skip
    assert changes[1]["before"] == {"service": "ssh", "product": "OpenSSH", "version": "9.2p1"}
    assert changes[1]["version"] == "9.9p1"
    assert [name for name in MAP_ROW if name not in changes[0]] == []
    assert sentinel.places("--at", "2026-09-21") == {
        ("192.0.2.1", 22), ("192.0.2.1", 80), ("192.0.2.2", 443), ("192.0.2.2", 8080),
    }  # fmt: skip
    assert sentinel.places() == {("192.0.2.1", 21), ("192.0.2.1", 22), ("192.0.2.2", 443), ("192.0.2.2", 8080)}
    assert sentinel.places("--at", "2026-09-20") == set()


def test_map_when_files_arrive_in_the_other_order_is_the_same(sentinel: Sentinel, tmp_path: Path) -> None:
    before, after = write(tmp_path, "before.xml", BEFORE), write(tmp_path, "after.xml", AFTER)
    sentinel.run("import", after, before)
    assert sentinel.places() == {("192.0.2.1", 21), ("192.0.2.1", 22), ("192.0.2.2", 443), ("192.0.2.2", 8080)}
    assert ("192.0.2.1", 80) in sentinel.places("--at", "2026-09-21")


def test_import_when_two_files_have_equal_times_the_later_arrival_stands(sentinel: Sentinel, tmp_path: Path) -> None:
    first = nmap(host("192.0.2.1", service(22, "ssh"), service(80, "http")))
    second = nmap(host("192.0.2.1", service(22, "ssh"), service(80, state="closed"), service(443, "http")))
    rows = sentinel.rows("import", write(tmp_path, "a.xml", first), write(tmp_path, "b.xml", second))
    assert [row["events"] for row in rows] == [2, 2]
    assert sentinel.places() == {("192.0.2.1", 22), ("192.0.2.1", 443)}


def test_import_when_ports_are_widened_calls_them_newly_covered(sentinel: Sentinel, tmp_path: Path) -> None:
    narrow = nmap(host("192.0.2.1", service(22, "ssh")), asked="22")
    wide = nmap(host("192.0.2.1", service(22, "ssh"), service(80, "http")), asked="22,80", start=START + 86_400)
    sentinel.run("import", write(tmp_path, "a.xml", narrow), write(tmp_path, "b.xml", wide))
    (change,) = sentinel.rows("diff", "--from", "2026-09-21", "--to", "2026-09-23")
    assert (change["change"], change["port"]) == ("newly_covered", 80)


BILLION = '<?xml version="1.0"?><!DOCTYPE n [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><nmaprun/>'
SECRET = '<?xml version="1.0"?><!DOCTYPE nmaprun [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n'
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE nmaprun SYSTEM "http://203.0.113.1/x.dtd">\n'


def test_import_when_some_files_are_bad_refuses_them_and_reads_the_rest(sentinel: Sentinel, tmp_path: Path) -> None:
    bad = [
        write(tmp_path, "broken.xml", "<nmaprun><host></nmaprun>"),
        write(tmp_path, "entity.xml", SECRET + BEFORE.partition("<!DOCTYPE nmaprun>")[2].replace("nginx", "&x;")),
        write(tmp_path, "many.xml", BILLION),
        write(tmp_path, "empty.xml", ""),
        write(tmp_path, "text.txt", "hello\n"),
        write(tmp_path, "binary.bin", bytes(range(256)) * 40),
        tmp_path / "missing.xml",
        tmp_path,
    ]
    good = write(tmp_path, "good.xml", BEFORE)
    rows = sentinel.rows("import", *bad, good, expect=3)
    assert [Path(row["file"]) for row in rows] == [*bad, good]
    assert all(row["error"] and "\n" not in row["error"] for row in rows[:-1])
    assert all((row["format"], row["hosts_up"], row["events"]) == (None, 0, 0) for row in rows[:-1])
    assert (rows[-1]["error"], rows[-1]["events"]) == (None, 4)
    assert "entit" in rows[1]["error"].lower()
    assert "empty" in rows[3]["error"]
    assert "No such file" in rows[-3]["error"]
    assert "directory" in rows[-2]["error"]
    assert len(sentinel.places()) == 4
    names = {path.name for path in (sentinel.home / "var" / "evidence").glob("*/*")}
    assert len(names) == 1


def test_import_when_a_file_may_not_be_read_says_so(sentinel: Sentinel, tmp_path: Path) -> None:
    """Root may read everything, so the file is one whose reading always fails."""
    path = tmp_path / "socket.xml"
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        (row,) = sentinel.rows("import", path, expect=3)
    assert row["error"]


def test_import_when_the_name_is_not_utf8_still_reads_the_file(sentinel: Sentinel, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + "扫描.xml".encode("gbk")))
    path.write_text(BEFORE)
    (row,) = sentinel.rows("import", path)
    assert row["events"] == 4


def test_import_when_a_file_breaks_off_keeps_what_was_whole_and_says_what_was_lost(
    sentinel: Sentinel, tmp_path: Path
) -> None:
    (row,) = sentinel.rows("import", write(tmp_path, "cut.xml", BEFORE[: BEFORE.index("<host><status", 400) + 20]))
    assert (row["error"], row["hosts_up"], row["endpoints_open"]) == (None, 1, 2)
    assert row["lost"]
    assert sentinel.places() == {("192.0.2.1", 22), ("192.0.2.1", 80)}


def test_import_when_times_are_masked_takes_now_and_never_1970(sentinel: Sentinel, tmp_path: Path) -> None:
    zeek = zeek_known_services([("XXXXXXXXXX.XXXXXX", "192.0.2.7", 22, "SSH"), ("0.000000", "192.0.2.8", 80, "HTTP")])
    masscan = masscan_json([("192.0.2.9", 443)], start=0)
    rows = sentinel.rows(
        "import",
        write(tmp_path, "known_services.log", zeek),
        write(tmp_path, "masscan.json", masscan),
        write(tmp_path, "masked.xml", nmap(host("192.0.2.10", service(25, "smtp")), start="XXXX")),
    )
    assert [(row["format"], row["error"]) for row in rows] == [
        ("zeek", None),
        ("masscan-json", None),
        ("nmap-xml", None),
    ]
    assert {row["time_quality"] for row in rows} == {"unknown"}
    shown = sentinel.rows("map")
    assert {row["address"] for row in shown} == {f"192.0.2.{last}" for last in (7, 8, 9, 10)}
    assert all(row["valid_from"] > "2020" and row["last_confirmed"] > "2020" for row in shown)


def test_import_when_a_time_lies_in_the_future_keeps_the_row_and_takes_now(sentinel: Sentinel, tmp_path: Path) -> None:
    future = nmap(host("192.0.2.1", service(22, "ssh")), start=4_000_000_000)
    (row,) = sentinel.rows("import", write(tmp_path, "future.xml", future))
    assert (row["events"], row["time_quality"]) == (1, "unknown")
    assert row["time"] < "2090"


def test_import_when_a_network_is_declared_marks_what_lies_outside(sentinel: Sentinel, tmp_path: Path) -> None:
    sentinel.run("unit", "network", "server-lan", "192.0.2.0/31", "--zone", "server")
    sentinel.run("import", write(tmp_path, "before.xml", BEFORE))
    placed = {row["address"]: (row["network"], row["zone"], row["in_scope"]) for row in sentinel.rows("map")}
    assert placed == {"192.0.2.1": ("server-lan", "server", True), "192.0.2.2": ("default", "unknown", False)}
    sentinel.run("unit", "network", "server-lan", "192.0.2.0/28", "--zone", "dmz")
    placed = {row["address"]: (row["network"], row["zone"], row["in_scope"]) for row in sentinel.rows("map")}
    assert set(placed.values()) == {("server-lan", "dmz", True)}


def test_import_when_another_vantage_is_given_keeps_both_views(sentinel: Sentinel, tmp_path: Path) -> None:
    sentinel.run("import", write(tmp_path, "in.xml", BEFORE))
    outside = nmap(host("192.0.2.1", service(80, "http")), start=START + 60)
    sentinel.run("import", write(tmp_path, "out.xml", outside), "--vantage", "outside")
    seen = {(row["vantage"], row["address"], row["port"]) for row in sentinel.rows("map")}
    assert ("outside", "192.0.2.1", 80) in seen
    assert ("inside", "192.0.2.1", 22) in seen


def test_import_when_told_not_to_check_makes_no_findings(sentinel: Sentinel, tmp_path: Path) -> None:
    file = write(tmp_path, "telnet.xml", nmap(host("192.0.2.1", service(23, "telnet"))))
    sentinel.run("import", file, "--no-check")
    assert sentinel.findings() == {}
    sentinel.run("import", file)
    assert ("exposure.telnet", "192.0.2.1:23/tcp") in sentinel.findings()


def test_import_when_the_unit_is_unknown_reads_nothing(sentinel: Sentinel, tmp_path: Path) -> None:
    file = write(tmp_path, "before.xml", BEFORE)
    complaint = sentinel.run("import", file, "--unit", "不存在", "--json", expect=2).complaint
    assert complaint == "sentinel: no such unit: '不存在'; `sentinel unit list` shows them"
    assert sentinel.rows("map") == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["map", "--at", "yesterday"], "--at: no ISO 8601 time: 'yesterday'"),
        (["map", "--at", "9999-12-31T23:59:59Z"], "--at: '9999-12-31T23:59:59Z' lies outside the years"),
        (["map", "--unit", "nosuch"], "no such unit: 'nosuch'"),
        (["map", "--unit", ""], "no such unit: ''"),
        (["diff", "--from", "2026-02-01", "--to", "2026-01-01"], "--to: lies before --from"),
        (["diff", "--from", "x", "--to", "2026-01-01"], "--from: no ISO 8601 time: 'x'"),
        (["diff", "--from", "2026-01-01"], "missing option '--to'"),
    ],
)
def test_map_and_diff_when_a_word_is_wrong_end_with_one_line_and_2(
    untouched: Sentinel, words: list[str], told: str
) -> None:
    assert told in untouched.run(*words, expect=2).complaint


def test_import_when_a_document_type_lies_elsewhere_is_refused(sentinel: Sentinel, tmp_path: Path) -> None:
    file = write(tmp_path, "outside.xml", OUTSIDE + BEFORE.partition("<!DOCTYPE nmaprun>")[2])
    (row,) = sentinel.rows("import", file, expect=3)
    assert "http://203.0.113.1/x.dtd" in row["error"]


def test_import_when_a_pipe_is_named_refuses_it_instead_of_waiting(sentinel: Sentinel, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (row,) = sentinel.rows("import", pipe, expect=3)
    assert "not a regular file" in row["error"]


def test_import_when_cells_cannot_be_read_names_each_in_the_json_too(sentinel: Sentinel, tmp_path: Path) -> None:
    file = write(tmp_path, "台账.csv", "系统名称,IP地址,端口\n教务,王老师,80\n门户,192.0.2.6,很多\n")
    done = sentinel.run("import", file, "--json", expect=3)
    row = done.row
    assert row["refused"] == 2
    assert [(one["row"], one["column"], one["title"]) for one in row["cells"]] == [(2, "B", "IP地址"), (3, "C", "端口")]
    assert "王老师" not in done.out + done.err
