"""A full disk and a read-only home inside a mount namespace: prints what each command said, as one JSON line."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.cli.command import UNIT, Done, Sentinel
from tests.cli.written import host, nmap, school, service


def mount(*words: str | Path) -> None:
    """Mount inside the namespace."""
    subprocess.run(["mount", *map(str, words)], check=True)


def said(done: Done) -> dict[str, object]:
    """Give a command's status and its words on standard error."""
    return {"status": done.status, "complaint": done.err}


def full(folder: Path) -> dict[str, object]:
    """Fill a small disk with an import and with a new home, then make room."""
    file, disk = folder / "big.xml", folder / "disk"
    file.write_text(school(0, 1500))
    disk.mkdir()
    mount("-t", "tmpfs", "-o", "size=1600k", "none", disk)
    sentinel = Sentinel(disk / "home")
    sentinel.run("init", "--unit", UNIT)
    answer: dict[str, object] = {"import": said(sentinel.run("import", file, "--json", expect=None))}
    answer["map"] = len(sentinel.rows("map"))
    mount("-o", "remount,size=60m", disk)
    answer["again"] = sentinel.rows("import", file)[0]["events"]
    answer["doctor"] = sorted({row["state"] for row in sentinel.rows("doctor") if row["name"] in {"审计链", "证据"}})
    _fill(disk / "filler")
    answer["report"] = said(sentinel.run("report", "school", "--out", disk / "r.html", expect=None))
    answer["half a report"] = sorted(path.name for path in disk.iterdir() if "r.html" in path.name)
    answer["check"] = said(sentinel.run("check", expect=None))
    small = folder / "small"
    small.mkdir()
    mount("-t", "tmpfs", "-o", "size=100k", "none", small)
    other = Sentinel(small / "home")
    answer["init"] = said(other.run("init", "--unit", UNIT, expect=None))
    mount("-o", "remount,size=5m", small)
    answer["init again"] = said(other.run("init", "--unit", UNIT, expect=None))
    return answer


def _fill(path: Path) -> None:
    """Write until the disk is full."""
    with path.open("wb", buffering=0) as stream:
        try:
            while stream.write(bytes(4096)):
                pass
        except OSError:
            return


def readonly(folder: Path) -> dict[str, object]:
    """Make a home that can be read and not written."""
    file = folder / "a.xml"
    file.write_text(nmap(host("192.0.2.1", service(22, "ssh"))))
    sentinel = Sentinel(folder / "home")
    sentinel.run("init", "--unit", UNIT)
    sentinel.authorise("127.78.1.1")
    mount("--bind", sentinel.home, sentinel.home)
    mount("-o", "remount,bind,ro", sentinel.home)
    commands = {
        "import": ["import", file],
        "scan": ["scan", "127.78.1.1", "--ports", "9"],
        "check": ["check"],
        "scope": ["scope", "withdraw", "1", "--why", "x"],
        "run": ["run", "--once"],
        "init": ["init", "--unit", UNIT],
        "doctor": ["doctor"],
    }
    return {name: said(sentinel.run(*words, expect=None)) for name, words in commands.items()}


def main() -> None:
    """Run the scenario that is named."""
    scenarios = {"full": full, "readonly": readonly}
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(scenarios[sys.argv[1]](Path(folder))))
        subprocess.run(["umount", "--lazy", *map(str, Path(folder).glob("*"))], check=False, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
