from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel import log
from sentinel.log import add_log_file, build_line, configure_log


@pytest.fixture(autouse=True)
def _logger_as_before() -> Iterator[None]:
    logger = logging.getLogger("sentinel")
    before = logger.handlers[:], logger.level, logger.propagate
    yield
    logger.handlers[:], logger.level, logger.propagate = before


def test_event_is_one_line_with_its_values() -> None:
    assert build_line("scan done", {"unit": "4101", "hosts": 12}) == "scan done unit=4101 hosts=12"
    assert build_line("stop", {}) == "stop"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("two words", '"two words"'),
        ("", '""'),
        (None, "None"),
        ('say "a b"', '"say \\"a b\\""'),
        ("line\nbreak", "line\\x0abreak"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\u2028b\u0085c", "a\\x2028b\\x85c"),
        ("\u202egnp.exe", "\\x202egnp.exe"),
        ("教务系统", "教务系统"),
        ("x" * 300, "x" * 200),
    ],
)
def test_value_is_shown_so_that_it_cannot_break_the_line(value: object, shown: str) -> None:
    assert build_line("e", {"v": value}) == f"e v={shown}"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("13812345678", "138****5678"),
        ("tel:13812345678,19900001111", "tel:138****5678,199****1111"),
        ("+8613812345678", "+86138****5678"),
        ("138-1234-5678", "138****5678"),
        ("12812345678", "12812345678"),
        ("1381234567", "1381234567"),
        ("1790000000123", "1790000000123"),
        ("9" * 11, "9" * 11),
    ],
)
def test_phone_number_is_masked_and_other_numbers_are_not(value: str, shown: str) -> None:
    assert build_line("e", {"v": value}) == f"e v={shown}"


@given(st.dictionaries(st.sampled_from(["a", "b"]), st.text(max_size=300)))
def test_line_always_is_one_line_without_control_characters(values: dict[str, str]) -> None:
    line = build_line("event", dict(values))
    assert len(line.splitlines()) == 1
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", line)


def test_events_of_the_level_and_above_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log("warning")
    log.info("quiet")
    log.warning("look here", unit="s")
    log.error("lost", job=7)
    seen = capsys.readouterr()
    assert seen.out == ""
    first, second = seen.err.splitlines()
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00"
    assert re.fullmatch(f"{stamp} warning look here unit=s", first)
    assert re.fullmatch(f"{stamp} error lost job=7", second)


def test_level_can_be_changed_and_events_come_once(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log("error")
    configure_log("info")
    log.info("step", percent="100%")
    assert capsys.readouterr().err.count("info step percent=100%") == 1


def test_log_file_takes_info_also_when_standard_error_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_log("warning")
    add_log_file(tmp_path / "log" / "run.log", 1, 2)
    log.info("cycle begins", contact="13812345678")
    log.warning("look")
    lines = (tmp_path / "log" / "run.log").read_text().splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == ["info cycle begins contact=138****5678", "warning look"]
    assert [line.split(" ", 1)[1] for line in capsys.readouterr().err.splitlines()] == ["warning look"]
    assert (tmp_path / "log" / "run.log").stat().st_mode & 0o077 == 0


def test_log_file_when_full_is_turned_over_and_few_old_ones_stay(tmp_path: Path) -> None:
    configure_log("error")
    add_log_file(tmp_path / "run.log", 1, 2)
    for number in range(4 * 5300):
        log.info("x", filler="y" * 180, number=number)
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["run.log", "run.log.1", "run.log.2"]
    assert all(file.stat().st_size <= 1 << 20 for file in files)
    assert files[0].read_text().splitlines()[-1].endswith(f"number={4 * 5300 - 1}")


def test_log_file_that_cannot_be_written_is_told_once_and_ends_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "log").write_text("a file is in the way")
    configure_log("error")
    add_log_file(tmp_path / "log" / "run.log", 1, 2)
    log.info("one")
    log.info("two")
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith(f"sentinel: {tmp_path}/log/run.log: the log cannot be written: ")


def test_log_file_on_a_full_disk_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log("error")
    add_log_file(Path("/dev/full"), 1, 2)
    log.info("one")
    assert "No space left on device" in capsys.readouterr().err
