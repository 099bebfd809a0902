"""`init` asks: typed in a terminal or piped, right and wrong, to the end or not."""

from __future__ import annotations

import os
import pty
import signal
import stat
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.command import PROGRAM, Done, Sentinel, environment, run

NAME, PHONE, MAIL = "张三丰", "13800001234", "zsf@school.edu.cn"
ANSWERS = (
    "示例市第一中学",
    "４１０１０００００１",
    "服务器区 10.1.0.0/24，10.1.1.0/24",
    "图书馆 办公 １０.２.０.０／１６",
    "宿舍 10.3.0.0/16",
    "无线网 10.4.0.0/16",
    "",
    "教育网出口 202.112.0.0/28、202.112.0.100",
    "",
    "分管副校长",
    "校网信〔2026〕12号",
    "2099年12月31日",
    "",
    NAME,
    PHONE,
    MAIL,
    "2",
    "10.1.0.9",
    "",
    "",
)


def key(tmp_path: Path) -> dict[str, str]:
    return {"SENTINEL_CONTACT_KEY": str(tmp_path / "keys" / "contact.key")}


def init(tmp_path: Path, answers: Sequence[str], *words: str) -> Done:
    typed = "".join(f"{one}\n" for one in answers).encode()
    return run("--home", tmp_path / "home", "init", *words, env=key(tmp_path), typed=typed)


def nothing_is_left(tmp_path: Path) -> bool:
    return not any(tmp_path.iterdir())


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sentinel, Done, Path]:
    """A home made from piped answers, for looking at."""
    folder = tmp_path_factory.mktemp("enrolled")
    done = init(folder, ANSWERS)
    return Sentinel(folder / "home"), done, folder


def test_init_when_all_is_answered_makes_the_home_as_told(enrolled: tuple[Sentinel, Done, Path]) -> None:
    sentinel, done, _ = enrolled
    assert done.status == 0
    (unit,) = sentinel.rows("unit", "list")
    assert (unit["code"], unit["name"]) == ("4101000001", "示例市第一中学")
    networks = {row["name"]: row for row in sentinel.rows("unit", "networks")}
    assert {name: (row["zone"], row["scannable"], row["prefixes"]) for name, row in networks.items()} == {
        "default": ("unknown", True, []),
        "服务器区": ("server", True, ["10.1.0.0/24", "10.1.1.0/24"]),
        "图书馆": ("office", True, ["10.2.0.0/16"]),
        "宿舍区": ("dormitory", False, ["10.3.0.0/16"]),
        "无线网": ("wireless", False, ["10.4.0.0/16"]),
        "教育网出口": ("dmz", True, ["202.112.0.0/28", "202.112.0.100/32"]),
    }
    (authorisation,) = sentinel.rows("scope", "list")
    assert (authorisation["by"], authorisation["document"]) == ("分管副校长", "校网信〔2026〕12号")
    assert (authorisation["level"], authorisation["rate_pps"]) == ("service", 100)
    assert authorisation["valid_to"].startswith("2099-12-31T15:59:59")
    assert not any(one.startswith(("10.3.", "10.4.")) for one in authorisation["targets"])
    assert "10.1.0.8" in authorisation["targets"]
    assert "10.1.0.9" not in authorisation["targets"]


def test_init_when_done_names_the_next_commands_and_the_papers(enrolled: tuple[Sentinel, Done, Path]) -> None:
    _, done, folder = enrolled
    assert "sentinel import" in done.out
    assert "sentinel brief" in done.out
    papers = sorted(path.name for path in (folder / "home" / "papers" / "4101000001").iterdir())
    assert papers == ["扫描告知书.docx", "扫描告知书.html", "扫描授权书.docx", "扫描授权书.html"]
    assert all(name in done.out for name in papers)


def test_contact_when_stolen_with_database_log_or_reports_shows_nothing(enrolled: tuple[Sentinel, Done, Path]) -> None:
    sentinel, done, folder = enrolled
    sentinel.run("unit", "contact", "list", "--show", env=key(folder))
    secrets = [text.encode(code) for text in (NAME, PHONE, MAIL) for code in ("utf-8", "utf-16-le", "gb18030")]
    holding = {
        path.relative_to(folder).parts[1]
        for path in folder.rglob("*")
        if path.is_file() and any(secret in path.read_bytes() for secret in secrets)
    }
    assert holding == {"papers"}
    assert not any(text in done.out + done.err for text in (NAME, PHONE, MAIL))
    assert "张** 138****1234 z***@school.edu.cn" in " ".join(done.err.split())


def test_files_that_name_the_contact_or_open_it_are_for_their_owner_alone(
    enrolled: tuple[Sentinel, Done, Path],
) -> None:
    _, _, folder = enrolled
    private = [*(folder / "home" / "papers").rglob("*.*"), folder / "keys" / "contact.key"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}
    assert stat.S_IMODE((folder / "home" / "papers").stat().st_mode) == 0o700
    assert not (folder / "keys").is_relative_to(folder / "home")


def test_contact_without_its_key_is_not_shown_and_nothing_else_suffers(
    enrolled: tuple[Sentinel, Done, Path], tmp_path: Path
) -> None:
    sentinel, _, _ = enrolled
    (row,) = sentinel.rows("unit", "contact", "list", "--show", env=key(tmp_path))
    assert (row["name"], row["phone"], row["mail"]) == (None, None, None)
    assert "密钥不在本机" in sentinel.run("unit", "show", env=key(tmp_path)).out


def test_init_when_answers_are_wrong_asks_each_again_with_one_line(tmp_path: Path) -> None:
    wrong = (
        "", "一中", "123", "4101000001",
        "10.1.0.0/24", "服务器区 10.1.0.5/24", "服务器区 10.1.0.0/24", "办公 10.1.0.128/25", "",
        "出口 不是地址", "电信 203.0.113.8", "",
        "校长", "1号", "昨天", "2020-01-01", "2099-01-01", "9", "1",
        "李四", "abc", "0371-60001234", "nomail", "",
        "也许", "1",
        "8", "",
    )  # fmt: skip
    done = init(tmp_path, wrong, "--json")
    assert done.status == 0, done.err
    assert done.row["authorisation"] == 1
    assert done.err.count("请重填。") == 13
    assert not any(text in done.err for text in ("abc", "60001234", "nomail"))
    (row,) = Sentinel(tmp_path / "home").rows("scope", "list")
    assert (row["level"], row["targets"]) == ("discover", ["10.1.0.0/24", "203.0.113.8"])


def test_init_when_an_answer_is_given_again_takes_the_later_one(tmp_path: Path) -> None:
    first = ("一中", "", "", "", "", "", "1")
    done = init(tmp_path, (*first, "2", "宿舍 可探测 10.3.0.0/16", "", "1", "二中", "", "4", "校长", "", ""), "--json")
    assert done.status == 0, done.err
    assert (done.row["unit"], done.row["authorisation"], done.row["networks"]) == ("二中", None, 1)
    networks = Sentinel(tmp_path / "home").rows("unit", "networks")
    assert [(row["name"], row["scannable"]) for row in networks] == [("default", True), ("宿舍区", True)]


def test_init_when_what_stays_out_holds_a_network_does_not_go_on(tmp_path: Path) -> None:
    answers = ("一中", "", "", "", "", "", "2", "10.9.0.0/16", "", "2", "办公 10.9.1.0/24", "", "", "q")
    done = init(tmp_path, answers)
    assert done.status == 2
    assert "涉密网络不得登记。请写题号重答" in done.err
    assert nothing_is_left(tmp_path)


@pytest.mark.parametrize("given", [0, 1, 5, 11, 16, len(ANSWERS) - 1])
def test_init_when_the_input_ends_early_says_so_in_one_line_and_leaves_nothing(tmp_path: Path, given: int) -> None:
    done = init(tmp_path, ANSWERS[:given])
    assert (done.status, done.out) == (2, "")
    last = done.err.splitlines()[-1]
    assert last.startswith("sentinel: the input ended before the answers did (asked last: ")
    assert last.endswith("; nothing was made")
    assert nothing_is_left(tmp_path)


def test_init_when_piped_in_gb18030_reads_it(tmp_path: Path) -> None:
    typed = "".join(f"{one}\n" for one in ("示例中学", "", "", "", "", "", "1", "")).encode("gb18030")
    done = run("--home", tmp_path / "home", "init", "--json", env=key(tmp_path), typed=typed)
    assert done.row["name"] == "示例中学"


def test_init_when_a_home_is_there_says_so_before_it_asks(sentinel: Sentinel) -> None:
    assert "is a home already" in sentinel.run("init", expect=6).complaint


def test_init_when_the_key_would_lie_in_the_home_refuses_and_leaves_nothing(tmp_path: Path) -> None:
    env = {"SENTINEL_CONTACT_KEY": str(tmp_path / "home" / "key")}
    typed = "".join(f"{one}\n" for one in ANSWERS).encode()
    done = run("--home", tmp_path / "home", "init", env=env, typed=typed)
    assert done.status == 7
    assert "lies inside the home" in done.err.splitlines()[-1]
    assert nothing_is_left(tmp_path)


def test_init_with_options_gives_the_same_home_without_asking(
    enrolled: tuple[Sentinel, Done, Path], tmp_path: Path
) -> None:
    words = [
        "--unit", "示例市第一中学", "--code", "4101000001", "--network", "server=10.1.0.0/24,10.1.1.0/24",
        "--network", "图书馆 office 10.2.0.0/16", "--network", "dormitory=10.3.0.0/16",
        "--network", "wireless=10.4.0.0/16", "--exit", "教育网出口=202.112.0.0/28,202.112.0.100",
        "--by", "分管副校长", "--document", "校网信〔2026〕12号", "--until", "2099-12-31",
        "--contact", NAME, "--phone", PHONE, "--mail", MAIL, "--keep-out", "10.1.0.9",
    ]  # fmt: skip
    done = run("--home", tmp_path / "home", "init", *words, env=key(tmp_path))
    assert (done.status, done.err) == (0, "")
    piped, given = enrolled[0], Sentinel(tmp_path / "home")
    for command in (("unit", "networks"), ("unit", "exit", "list"), ("unit", "keep-out", "list"), ("unit", "show")):
        env = key(enrolled[2])
        assert given.rows(*command, env=key(tmp_path)) == piped.rows(*command, env=env)
    (first,), (second,) = given.rows("scope", "list"), piped.rows("scope", "list")
    assert first | {"valid_from": ""} == second | {"valid_from": ""}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--network", "10.1.0.0/24"], "--network: "),
        (["--document", "1号"], "--document: needs --by"),
        (["--by", "校长", "--until", "2099-01-01"], "--until, --scan-level: need --document"),
        (["--phone", PHONE], "--contact: "),
        (["--classified", "none", "--keep-out", "10.1.0.1"], "--keep-out: "),
    ],
)
def test_init_when_an_option_is_wrong_names_it_and_leaves_nothing(tmp_path: Path, words: list[str], told: str) -> None:
    done = run("--home", tmp_path / "home", "init", "--unit", "一中", *words, env=key(tmp_path))
    assert (done.status, done.out) == (2, "")
    assert done.complaint.startswith(f"sentinel: {told}")
    assert PHONE not in done.err
    assert nothing_is_left(tmp_path)


class Terminal:
    """A person at a terminal: reads what is asked, types, waits."""

    def __init__(self, *words: str | Path, env: dict[str, str]) -> None:
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [*PROGRAM, *map(str, words)],
            env=environment(env),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.seen = ""

    def wait_for(self, text: str) -> None:
        end = time.monotonic() + 60
        while text not in self.seen and time.monotonic() < end:
            try:
                self.seen += os.read(self.master, 65536).decode("utf-8", "replace")
            except OSError:
                break
        assert text in self.seen, self.seen[-1000:]

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def end(self) -> int:
        while True:
            try:
                piece = os.read(self.master, 65536)
            except OSError:
                break
            if not piece:
                break
            self.seen += piece.decode("utf-8", "replace")
        status = self.process.wait(timeout=60)
        os.close(self.master)
        return status


def test_init_in_a_terminal_asks_one_question_at_a_time(tmp_path: Path) -> None:
    terminal = Terminal("--home", tmp_path / "home", "init", env=key(tmp_path))
    questions = [
        ("单位名称", "示例中学"), ("10 位学校", ""), ("网段: ", "服务器区 10.1.0.0/24"), ("网段: ", ""), ("出口: ", ""),
        ("授权人或部门", ""), ("姓名", ""), ("1 没有；2 有", ""), ("回车确认", ""),
    ]  # fmt: skip
    for question, reply in questions:
        terminal.wait_for(question)
        terminal.seen = ""
        terminal.type(f"{reply}\n")
    assert terminal.end() == 0
    assert "已建立数据目录" in terminal.seen
    assert [row["name"] for row in Sentinel(tmp_path / "home").rows("unit", "networks")] == ["default", "服务器区"]


def test_init_in_a_terminal_when_interrupted_leaves_nothing(tmp_path: Path) -> None:
    terminal = Terminal("--home", tmp_path / "home", "init", env=key(tmp_path))
    terminal.wait_for("单位名称")
    terminal.type("示例中学\n")
    terminal.wait_for("10 位学校")
    os.killpg(terminal.process.pid, signal.SIGINT)
    assert terminal.end() == 130
    assert "Traceback" not in terminal.seen
    assert nothing_is_left(tmp_path)
