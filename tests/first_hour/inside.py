"""The first hour inside a user namespace: the demo school as own network; writes what came of it as `hour.json`.

    python -m tests.first_hour.inside FOLDER

Everything is done by the real command line, as somebody without root would: answers through a pipe, all papers in one
import, a brief before any packet, the authorised scan, a brief after it, the pages in a real browser.
"""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from sentinel.drill.papers.leases import Lease, dhcp_leases
from sentinel.drill.place.ground import Mode, take_ground
from sentinel.drill.school.host import Manner, PlannedHost
from sentinel.drill.school.plan import AFTER, School
from sentinel.drill.school.running import start_school
from tests.cli.command import PROGRAM, Done, environment, examine
from tests.first_hour.sheets import BAD, PHONE, POST, ROWS, Line, office_lines, write_gbk_csv, write_register

UNIT, CODE = "示例县第一中学", "4101000001"
CSV_HOSTS = 3
LEFT_OUT_EVERY = 6
CHROMIUM = "/usr/bin/chromium"
PAGES = ("/", "/assets", "/findings", "/changes", "/reports")


@dataclass(frozen=True)
class Plan:
    """What the school has and what its papers say.

    Attributes:
        seen: addresses of hosts that answer, if only with a reset.
        listed: of these, the addresses the papers name.
        lines: lines of the papers that can be read.
    """

    seen: list[str]
    listed: list[str]
    lines: int


def write_papers(folder: Path, school: School) -> Plan:
    """Write the messy sheets, a lease file and an ARP list; every sixth host stands in no sheet."""
    hosts = [one for one in school.hosts(AFTER) if one.manner is not Manner.SILENT]  # the newcomer's address resets
    known = [one for place, one in enumerate(hosts) if place % LEFT_OUT_EVERY != LEFT_OUT_EVERY - 1]
    lines = [_line(number, one) for number, one in enumerate(known)]
    office = office_lines(ROWS - len(lines) + CSV_HOSTS)
    write_register(folder / "资产台账.xlsx", [*lines[CSV_HOSTS:], *office])
    write_gbk_csv(folder / "图书馆.csv", lines[:CSV_HOSTS])
    now = datetime.now(UTC)
    leases = [
        Lease(one.address, one.mac, one.name.partition(".")[0], now - timedelta(hours=1), now + timedelta(hours=8))
        for one in school.before
        if one.role in {"office", "camera", "printer"}
    ]
    (folder / "dhcpd.leases").write_bytes(dhcp_leases(leases))
    (folder / "arp.txt").write_text(
        "".join(f"? ({one.address}) at {one.mac} [ether] on eth0\n" for one in hosts[:10] if one.mac), encoding="utf-8"
    )
    four = [str(address) for one in hosts for address in one.addresses if address.version == 4]
    listed = [str(address) for one in known for address in one.addresses if address.version == 4]
    placed = len(BAD) - 1  # a row without its address is none; one with another bad cell is taken without that cell
    return Plan(four, listed, ROWS + CSV_HOSTS + placed)


def _line(number: int, host: PlannedHost) -> Line:
    department = ("信息中心", "教务处", "后勤处")[number % 3]
    return Line(host.label, tuple(map(str, host.addresses)), host.name, department=department)


def answers(base: str) -> str:
    """What the administrator types, with a mistake on the way."""
    return "\n".join(
        [
            UNIT,
            "41010",
            CODE,
            f"服务器区 {base}",
            "宿舍区 10.99.0.0／16",
            "办公区 10.88.0.0/24，10.88.1.0/24",
            "",
            "教育网出口 203.0.113.0/28",
            "",
            "分管副校长",
            "校网信〔2026〕12号",
            f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}",
            "2",
            POST,
            PHONE,
            "noc@school.example",
            "1",
            "",
            "",
        ]
    )


class Hour:
    """The command line on the home of this hour."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        user = folder / "user"
        self.env = {"HOME": str(user), "XDG_CONFIG_HOME": str(user / ".config"), "SENTINEL_RATE_PPS": "4000"}
        (folder / "user").mkdir()
        self.home = folder / "home"

    def run(self, *words: str | Path, typed: str | None = None, expect: int = 0) -> Done:
        """Run one command; `typed` comes through a pipe."""
        line = ("--home", str(self.home), *map(str, words))
        done = subprocess.run(
            [*PROGRAM, *line],
            env=environment(self.env),
            input=None if typed is None else typed.encode(),
            stdin=subprocess.DEVNULL if typed is None else None,
            capture_output=True,
            timeout=240,
            check=False,
        )
        told = examine(line, done.returncode, done.stdout, done.stderr)
        assert told.status == expect, (words, told.status, told.out[-3000:], told.err[-3000:])
        return told

    def rows(self, *words: str | Path, expect: int = 0) -> list[dict[str, Any]]:
        """Run a listing and read its JSON lines."""
        return self.run(*words, "--json", expect=expect).rows


def old_scan(folder: Path, targets: list[str]) -> Path:
    """Let the real nmap write the result somebody has had lying about: ports only, of some hosts."""
    path = folder / "旧扫描.xml"
    words = ["nmap", "-sT", "-Pn", "-n", "-T4", "--top-ports", "200", "-oX", str(path), *targets]
    subprocess.run(words, check=True, capture_output=True, timeout=120)
    return path


def import_all(hour: Hour, papers: Path, draw: random.Random) -> dict[str, Any]:
    """Import everything at once in an order of chance; the sheet's unreadable cells make it status 3."""
    files = sorted(papers.iterdir())
    draw.shuffle(files)
    rows = hour.rows("import", *files, expect=3)
    return {Path(str(row.get("file", ""))).name: row for row in rows if row.get("file")}


def look(hour: Hour, pictures: Path) -> dict[str, Any]:
    """Start the pages, enter by the address it prints, and open each at two widths in Chromium."""
    serving = subprocess.Popen(
        [*PROGRAM, "--home", str(hour.home), "serve", "--port", "0"],
        env=environment(hour.env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert serving.stdout is not None
        said = ""
        while not (found := re.search(r"https?://\S+", said)):
            line = serving.stdout.readline()
            assert line, said
            said += line
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            )
            page = browser.new_page()
            troubles: list[str] = []
            page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: troubles.append(str(error)))
            page.goto(found[0])
            page.wait_for_url(lambda address: "/enter" not in address)
            texts = {f"{path} {width}": _open(page, path, width, pictures) for path in PAGES for width in (1440, 390)}
            browser.close()
    finally:
        serving.send_signal(signal.SIGTERM)
        _, err = serving.communicate(timeout=30)
    return {"pages": texts, "troubles": troubles, "status": serving.returncode, "err": err}


def _open(page: Page, path: str, width: int, pictures: Path) -> dict[str, Any]:
    page.set_viewport_size({"width": width, "height": 900})
    origin = re.match(r"https?://[^/]+", page.url)
    assert origin
    answer = page.goto(f"{origin[0]}/unit/{CODE}{path}")
    assert answer
    page.screenshot(path=pictures / f"{path.strip('/') or 'overview'}-{width}.png")
    wide = page.evaluate("document.documentElement.scrollWidth")
    return {"status": answer.status, "width": wide, "text": page.inner_text("body")}


def main() -> None:
    """Spend the hour."""
    folder = Path(sys.argv[1])
    papers, pictures = folder / "papers", folder / "pictures"
    for one in (papers, pictures):
        one.mkdir()
    ground = take_ground(Mode.USER_NAMESPACE)
    hour = Hour(folder)
    with start_school(ground.lot(1)) as school:
        base = next(iter(school.plan.lot.base.subnets(new_prefix=26)))
        plan = write_papers(papers, school.plan)
        old_scan(papers, plan.seen[:12])
        enrolled = hour.run("init", typed=answers(str(base)))
        imported = import_all(hour, papers, random.Random(2026))
        before = hour.rows("brief", "--out", folder / "简报一")[-1]
        scan = hour.rows("scan", str(base))[-1]
        after = hour.rows("brief", "--out", folder / "简报二")[-1]
        live = [row["number"] for row in hour.rows("finding", "list", "--live") if row["severity"] == "critical"]
        due = f"{datetime.now(UTC) + timedelta(days=10):%Y-%m-%d}"
        order = folder / "整改通知书.docx"
        issued = hour.rows("order", "issue", *live[:2], "--to", "信息中心", "--due", due, "--out", order)[-1]
        hour.run("report", "school", "--out", folder / "学校.html")
        pages = look(hour, pictures)
    result = {
        "plan": asdict(plan),
        "init": enrolled.out,
        "asked": enrolled.err,
        "imported": imported,
        "before": before,
        "after": after,
        "scan": scan,
        "critical": live,
        "issued": issued,
        "pages": pages,
        "home": str(hour.home),
    }
    (folder / "hour.json").write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
