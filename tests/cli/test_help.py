"""What a newcomer sees first: help, mistakes on the command line, and how fast it comes."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

import pytest

from sentinel import __version__
from sentinel.cli import lift_home
from tests.cli.command import ROOT, Sentinel, environment, run

COMMANDS = [
    *(
        "init",
        "doctor",
        "import",
        "scan",
        "probe",
        "map",
        "diff",
        "check",
        "report",
        "run",
        "demo",
        "brief",
        "ledger",
        "backup",
    ),
    "restore",
    "serve",
    "purge",
    "trace",
]
GROUPS = {
    "unit": [
        *("add", "list", "network", "networks", "plan", "show", "set", "exit", "contact", "keep-out"),
        *("move", "rename", "history", "import", "owner", "nat", "runs"),
    ],
    "publication": ["add", "list", "import", "propose", "accept", "decline", "withdraw"],
    "scope": ["authorise", "list", "paper", "withdraw", "consent"],
    "asset": ["list", "show", "merge", "split", "proposals", "accept", "reject", "undo"],
    "setting": ["list", "set", "unset"],
    "register": ["import", "list", "withdraw", "mapping"],
    "range": ["up", "status", "cue", "down"],
    "whitelist": ["add", "import", "list", "withdraw", "explain", "due", "draft", "apply", "request"],
    "traffic": ["analyze"],
    "attest": ["list", "sheet", "import", "answer", "review", "show"],
    "rules": ["list", "show", "check", "test"],
    "finding": ["list", "mark", "add", "show", "retest", "close"],
    "notice": ["add", "list", "show", "link", "unlink"],
    "assignment": ["issue", "list", "show", "receive", "reply", "review", "close", "escalate", "withdraw"],
    "snapshot": ["freeze", "list", "show"],
    "score": ["show", "table", "rank"],
    "evidence": ["list", "prune"],
    "service": ["install", "status", "remove"],
    "order": ["issue", "list", "show"],
}
HEAVY = (
    "sqlmodel",
    "sqlalchemy",
    "alembic",
    "sigma",
    "scapy",
    "nmap",
    "jinja2",
    "apscheduler",
    "rich",
    "cryptography",
    "docx",
    "openpyxl",
    "fastapi",
    "uvicorn",
)
EVERY_PATH = [(name,) for name in COMMANDS] + [(group, name) for group, names in GROUPS.items() for name in names]
HAN = re.compile(r"[\u4e00-\u9fff]")


def test_help_when_asked_names_every_command_and_every_exit_status() -> None:
    done = run("--help")
    assert done.status == 0
    listed = re.findall(r"^  ([a-z]+)  ", done.out.partition("Commands:")[2], re.MULTILINE)
    assert sorted(listed) == sorted([*COMMANDS, *GROUPS])
    statuses = re.findall(r"(\d+) \S", done.out.partition("退出状态")[2])
    assert [int(number) for number in statuses] == [*range(11), 130]


def test_help_when_asked_loads_none_of_the_heavy_packages() -> None:
    script = (
        "import sys\nsys.argv = ['sentinel', '--help']\nfrom sentinel.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    print('loaded', *{name.partition('.')[0] for name in sys.modules})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "typer" in loaded
    assert not loaded & set(HEAVY)


@pytest.mark.parametrize("path", EVERY_PATH, ids=" ".join)
def test_help_of_a_command_when_asked_explains_every_option_in_chinese(path: tuple[str, ...]) -> None:
    done = run(*path, "--help")
    assert done.status == 0
    about, _, options = done.out.partition("Options:")
    assert HAN.search(about)
    told = re.findall(r"^  (--[a-z-]+)((?:.|\n    )*)", options, re.MULTILINE)
    silent = [name for name, words in told if name != "--help" and not HAN.search(words)]
    assert told
    assert not silent


@pytest.mark.parametrize("group", GROUPS)
def test_group_when_called_alone_shows_its_help(group: str) -> None:
    done = run(group)
    assert done.status == 2
    assert all(f"  {name} " in done.err for name in GROUPS[group])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nosuch"], "no such command 'nosuch'; see `sentinel --help`"),
        (["scan", "--nosuch", "x"], "no such option: --nosuch"),
        (["scan"], "missing argument 'targets'; see `sentinel scan --help`"),
        (["scope", "authorise", "192.0.2.1"], "missing option '--by'"),
        (["scan", "192.0.2.1", "--rate", "fast"], "'--rate'"),
        (["scan", "192.0.2.1", "--rate", "0"], "'--rate'"),
        (["scan", "192.0.2.1", "--engine", "zmap"], "--engine: no such engine: 'zmap' (nmap)"),
        (["finding", "mark", "1", "--why", "x"], "missing option '--until'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_command_line_when_wrong_ends_with_one_line_and_2(words: list[str], told: str) -> None:
    done = run(*words)
    assert (done.status, done.out) == (2, "")
    assert done.complaint.startswith("sentinel: ")
    assert told in done.complaint


def test_version_when_asked_is_the_package_s_own() -> None:
    assert run("--version").out == f"sentinel {__version__}\n"


def test_script_when_installed_is_the_same_command_line() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["scripts"] == {"sentinel": "sentinel.cli:main"}


@pytest.mark.parametrize(
    ("words", "lifted"),
    [
        (["map", "--home", "h"], ["--home", "h", "map"]),
        (["--home", "h", "map"], ["--home", "h", "map"]),
        (["map", "--json", "--home=h"], ["--home=h", "map", "--json"]),
        (["scan", "--", "--home", "h"], ["scan", "--", "--home", "h"]),
        (["map", "--home"], ["--home", "map"]),
    ],
)
def test_home_when_given_anywhere_is_read_first(words: list[str], lifted: list[str]) -> None:
    assert lift_home(words) == lifted


def test_home_when_given_after_the_command_or_in_the_environment_is_the_same(sentinel: Sentinel) -> None:
    units = sentinel.run("unit", "list", "--json").out
    assert run("unit", "list", "--json", "--home", sentinel.home).out == units
    assert run("unit", "list", "--json", env={"SENTINEL_HOME": str(sentinel.home)}).out == units
