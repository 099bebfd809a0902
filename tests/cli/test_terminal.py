"""What reaches a terminal or a pipe: foreign bytes are tamed, lines fit, a closed pipe stops nothing."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.command import PROGRAM, Sentinel, environment
from tests.cli.written import START, host, nmap, service

EVIL = "\x1b[2J\x1b]0;owned\x07\x9b31m\x7f\u202egnp\u2028\u200b"
JSON_ROW = {
    "ip": "192.0.2.2",
    "timestamp": str(START),
    "ports": [{"port": 80, "proto": "tcp", "status": "open", "service": {"name": "http.server", "banner": EVIL}}],
}
LONG = "很长的产品名称与说明" * 12


@pytest.fixture
def hostile(sentinel: Sentinel, tmp_path: Path) -> Sentinel:
    """A home that has seen banners, names and files made to harm a terminal."""
    xml = nmap(
        host(
            "192.0.2.1",
            service(80, "http", product="A&#x9b;31m&#x202e;B", version="C&#x2028;D", extrainfo="&#x7f;"),
            service(23, "telnet", product=LONG, version="1.0 " + LONG),
            names=["a&#x9b;31m.school.example", f"{'very-long-label.' * 12}school.example"],
        )
    ).replace("&amp;#", "&#")
    (tmp_path / "a.xml").write_text(xml)
    (tmp_path / f"{EVIL}b.json").write_text(json.dumps([JSON_ROW]))
    sentinel.run("import", tmp_path / "a.xml", tmp_path / f"{EVIL}b.json")
    return sentinel


@pytest.mark.parametrize(
    "words",
    [["map"], ["finding", "list"], ["diff", "--from", "2026-01-01", "--to", "2027-01-01"], ["check"]],
    ids=" ".join,
)
def test_listing_when_the_data_is_hostile_prints_nothing_raw_and_fits(hostile: Sentinel, words: list[str]) -> None:
    """That nothing is raw, and that no line is wider than 100 columns, is checked of every call."""
    assert hostile.run(*words).out
    assert hostile.run(*words, "--json").out


def test_map_when_the_data_is_hostile_still_shows_it_to_scripts(hostile: Sentinel) -> None:
    seen = {(row["address"], row["port"]): row for row in hostile.rows("map")}
    assert set(seen) == {("192.0.2.1", 80), ("192.0.2.1", 23), ("192.0.2.2", 80)}
    assert seen["192.0.2.1", 23]["product"].startswith("很长的产品")


def test_complaint_when_the_argument_is_hostile_is_tamed(sentinel: Sentinel, tmp_path: Path) -> None:
    sentinel.run("scan", EVIL, expect=5)
    sentinel.run("scan", EVIL, "--json", expect=5)
    sentinel.run("map", "--unit", EVIL, expect=2)
    sentinel.run("import", tmp_path / EVIL, expect=3)
    sentinel.run("import", tmp_path / EVIL, "--json", expect=3)
    sentinel.run(f"--{EVIL}", expect=2)
    sentinel.run("finding", "mark", EVIL, "--accept", "--why", "x", "--until", "2099-01-01", expect=2)


def test_text_when_it_is_not_utf8_is_refused_in_one_line(sentinel: Sentinel) -> None:
    gbk = os.fsdecode("信息中心".encode("gbk"))
    paper = ("--document", "b", "--from", "2026-01-01", "--until", "2027-01-01", "--level", "service")
    complaint = sentinel.run("scope", "authorise", "192.0.2.1", "--by", gbk, *paper, expect=2).complaint
    assert "text that is not UTF-8 cannot be stored" in complaint
    assert sentinel.rows("scope", "list") == []


@pytest.mark.parametrize("encoding", ["ascii", "gbk"])
def test_json_when_the_output_is_not_utf8_still_reads_as_json(sentinel: Sentinel, encoding: str) -> None:
    done = subprocess.run(
        [*PROGRAM, "--home", sentinel.home, "unit", "list", "--json"],
        env=environment({"PYTHONIOENCODING": encoding}),
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout.decode("ascii"))["name"] == "示例中学"


def test_listing_when_its_reader_goes_away_ends_quietly(sentinel: Sentinel) -> None:
    process = sentinel.start("rules", "list", "--json")
    assert process.stdout is not None
    process.stdout.read(1)
    process.stdout.close()
    assert process.stderr is not None
    assert (process.wait(30), process.stderr.read()) == (0, b"")
    process.stderr.close()


def test_import_when_its_reader_goes_away_still_imports(sentinel: Sentinel, tmp_path: Path) -> None:
    files = []
    for number in range(3):
        files.append(tmp_path / f"{number}.xml")
        files[-1].write_text(nmap(host(f"192.0.2.{number}", service(22, "ssh"))))
    process = sentinel.start("import", *files, "--json")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(60) == 0
    assert process.stderr is not None
    process.stderr.close()
    assert len(sentinel.places()) == 3


def test_output_when_it_cannot_be_written_ends_with_one_line(sentinel: Sentinel) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*PROGRAM, "--home", sentinel.home, "rules", "list"],
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, b"sentinel: standard output: No space left on device\n")


def test_listing_when_read_on_a_terminal_sends_only_colours(hostile: Sentinel) -> None:
    screen, end = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, "--home", hostile.home, "map"],
        env=environment({"TERM": "xterm-256color", "COLUMNS": "70"}),
        stdin=subprocess.DEVNULL,
        stdout=end,
        stderr=end,
    )
    os.close(end)
    seen = b""
    try:
        while chunk := os.read(screen, 65536):
            seen += chunk
    except OSError:
        assert process.wait(30) == 0
    finally:
        os.close(screen)
    text = re.sub(r"\x1b\[[0-9;]*m", "", seen.decode()).replace("\r\n", "\n")
    assert "192.0.2.1" in text
    assert not {letter for letter in text if not letter.isprintable()} - {"\n"}
