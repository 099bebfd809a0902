"""`import --mapping`: a file of one's own, one that is shipped, and what is said when it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import Sentinel
from tests.observe import logs

SRUN = (
    "用户名,IP地址,MAC地址,上线时间,下线时间\n"
    "s2026001,192.0.2.1,0000-5e00-5301,2026-11-20 08:30:00,2026-11-20 09:30:00\n"
)


def test_import_when_a_mapping_is_shipped_reads_the_log_by_its_name(sentinel: Sentinel, tmp_path: Path) -> None:
    (tmp_path / "detail.csv").write_text(SRUN, encoding="utf-8")
    (row,) = sentinel.rows("import", "--mapping", "srun", tmp_path / "detail.csv")
    assert (row["format"], row["holdings"], row["error"], row["evidence"]) == ("mapped-log", 1, None, None)


def test_import_when_a_mapping_is_a_file_reads_the_log_by_it(sentinel: Sentinel, tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(logs.REGEX_MAPPING, encoding="utf-8")
    (tmp_path / "nat.txt").write_text(logs.REGEX_LOG)
    (row,) = sentinel.rows("import", "--mapping", tmp_path / "m.toml", tmp_path / "nat.txt")
    assert (row["translations"], row["passed_over"]) == (1, {"other lines": 1})
    assert row["evidence"] is None  # a column nobody told of may name accounts
    (tmp_path / "m.toml").write_text(f"accounts = false\n{logs.REGEX_MAPPING}", encoding="utf-8")
    (tmp_path / "more.txt").write_text(f"{logs.REGEX_LOG}\n")
    (row,) = sentinel.rows("import", "--mapping", tmp_path / "m.toml", tmp_path / "more.txt")
    assert row["evidence"]


def test_import_when_told_in_words_names_what_was_read(sentinel: Sentinel, tmp_path: Path) -> None:
    (tmp_path / "nat.log").write_text(logs.NAT["conntrack"])
    (tmp_path / "detail").write_text(logs.DETAIL)
    text = sentinel.run("import", tmp_path / "nat.log", tmp_path / "detail").out
    assert "地址转换 1 条" in text
    assert "含账号，文件不留存" in text
    assert "s2026001" not in text


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--mapping", "nobody"], 2, "a file, or one of drcom, h3c-imc, radius-csv, ruijie-sam, srun"),
        (["--mapping", "srun", "--as", "register"], 2, "--as and --map are for sheets"),
        (["--mapping", "bad.toml"], 3, "bad.toml: no TOML"),
    ],
)
def test_import_when_the_mapping_is_wrong_says_so(
    sentinel: Sentinel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], status: int, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.toml").write_text("name = ")
    (tmp_path / "nat.log").write_text(logs.NAT["conntrack"])
    done = sentinel.run("import", *arguments, tmp_path / "nat.log", expect=status)
    assert message in done.err
