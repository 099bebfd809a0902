"""Makes the pictures of the user guide from the demonstration: its home and papers in, `docs/guide/pictures/*.png` out.

    .venv/bin/python scripts/guide_pictures.py [DEMO_FOLDER]

Without a folder the demonstration is held first (two minutes). Needs Chromium and CJK fonts; nothing leaves loopback.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from openpyxl import load_workbook
from openpyxl.cell import Cell
from openpyxl.utils import get_column_letter
from playwright.sync_api import Page, sync_playwright

from sentinel.model.moment import SHANGHAI

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "guide" / "pictures"
SCHOOL = "示例县第一中学"
SESSION = re.compile(
    r"=TCP;.*?SrcIPAddr[^=]*=10\.77\.1\.55;.*?NatSrcIPAddr[^=]*=(?P<address>[^;]+);NatSrcPort[^=]*=(?P<port>\d+);"
    r".*?BeginTime_e[^=]*=(?P<begin>\d{14})"
)
"""A session of the machine that mines, in the practice school's log of its firewall."""

INIT = (
    "--unit 示例县第一中学 --code 4101000001 --network 服务器区|10.1.0.0/24 --network 宿舍区|10.9.0.0/16 "
    "--exit 教育网出口|203.0.113.0/28 --by 分管副校长 --document 校网信〔2026〕12号 --contact 网络中心值班岗 "
    "--phone 0371-60000000 --classified none"
)


def sentinel(home: Path, *words: str | Path) -> None:
    """Run a command on a home."""
    subprocess.run([sys.executable, "-m", "sentinel", "--home", str(home), *map(str, words)], check=True, cwd=ROOT)


@contextmanager
def serving(home: Path) -> Iterator[str]:
    """Serve a home on a free port of loopback; gives the address to enter by."""
    words = [sys.executable, "-m", "sentinel", "--home", str(home), "serve", "--port", "0", "--unit", SCHOOL]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"http://\S+", line):
                yield found[0]
                break
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def shoot(page: Page, address: str, name: str, width: int, height: int) -> None:
    """Open an address and keep what stands at its top."""
    page.set_viewport_size({"width": width, "height": height})
    page.goto(address)
    keep(page, name)


def keep(page: Page, name: str) -> None:
    """Keep what the page shows, in few colours: a picture of text needs no more, and weighs a third."""
    path = PICTURES / f"{name}.png"
    page.screenshot(path=path)
    if program := shutil.which("convert"):
        subprocess.run([program, path, "+dither", "-colors", "96", "-strip", f"PNG8:{path}"], check=True)


def shoot_terminal(page: Page, home: Path, name: str, most: int, *words: str | Path) -> None:
    """Keep what a command prints, as a terminal of 100 columns shows it; what is longer loses lines of its middle."""
    command = [sys.executable, "-m", "sentinel", "--home", str(home), *map(str, words)]
    out = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout
    lines = [f"$ sentinel {' '.join(map(str, words))}", *out.rstrip().splitlines()]
    if len(lines) > most:
        lines = [*lines[: most - 7], "…", *lines[-6:]]
    show_lines(page, lines)
    keep(page, name)


def show_lines(page: Page, lines: Sequence[str]) -> None:
    """Show lines in letters of one width, those of CJK twice as wide."""
    style = (
        "margin:0;padding:16px 20px;background:#1b2430;color:#e6ebf1;font:15px/22px 'Noto Sans Mono CJK SC',monospace"
    )
    page.set_viewport_size({"width": 800, "height": len(lines) * 22 + 32})
    page.set_content(f'<body style="margin:0"><pre style="{style}">{escape(chr(10).join(lines))}</pre>')


def shoot_sheet(page: Page, book: Path, name: str, columns: Sequence[int], rows: int) -> None:
    """Keep the upper rows of a workbook's first sheet, some columns of it, as a spreadsheet shows them."""
    sheet = load_workbook(book).worksheets[0]
    widths = {number: int((sheet.column_dimensions[get_column_letter(number)].width or 8) * 6.6) for number in columns}
    lines = (_cells([sheet.cell(row, number) for number in columns]) for row in range(1, rows + 1))
    table = "".join(f"<tr>{line}</tr>" for line in lines)
    total = sum(widths.values())
    style = (
        "body{margin:0;background:#fff}table{border-collapse:collapse;table-layout:fixed;font:13px 'Noto Sans CJK SC'}"
        "td{border:1px solid #c9d2db;padding:3px 5px;height:17px;white-space:nowrap}"
        "td{overflow:hidden;text-overflow:ellipsis}"
    )
    columns_of = "".join(f'<col style="width:{width}px">' for width in widths.values())
    page.set_viewport_size({"width": total, "height": rows * 26})
    page.set_content(f"<style>{style}</style><table style='width:{total}px'>{columns_of}{table}</table>")
    keep(page, name)


def _cells(cells: Sequence[Cell]) -> str:
    found = []
    for cell in cells:
        fill = f"background:#{str(cell.fill.fgColor.rgb)[-6:]};" if cell.fill.fill_type else ""
        bold = "font-weight:600" if cell.font.b else ""
        found.append(f'<td style="{fill}{bold}">{escape("" if cell.value is None else str(cell.value))}</td>')
    return "".join(found)


def shoot_work(page: Page, demo: Path, work: Path) -> None:
    """Keep what is done at the terminal: the register held against the map, a draft to decide on, a trace."""
    home = demo / "home"
    shoot_terminal(page, home, "register", 30, "register", "reconcile", "--unit", SCHOOL)
    sentinel(home, "whitelist", "draft", "--unit", SCHOOL, "--out", work / "草案.xlsx")
    shoot_sheet(page, work / "草案.xlsx", "whitelist-draft", (1, 3, 5, 6, 8, 9, 13, 14, 16, 17), 20)
    log = next((demo / "papers").rglob("nat.log"))
    sentinel(home, "import", log, "--unit", SCHOOL)
    told = SESSION.search(log.read_text(encoding="utf-8"))
    assert told is not None
    begin = datetime.strptime(told["begin"], "%m%d%Y%H%M%S").replace(tzinfo=UTC).astimezone(SHANGHAI)
    words = ("trace", f"{told['address']}:{told['port']}", "--at", f"{begin:%Y-%m-%dT%H:%M:%S}", "--proto", "tcp")
    shoot_terminal(page, home, "trace", 32, *words)


def shoot_console(page: Page, home: Path) -> None:
    """Enter the pages of a home and keep them, one as a phone shows it."""
    with serving(home) as address:
        page.goto(address)
        page.wait_for_url(lambda url: "/enter" not in url)
        root = page.url.rstrip("/")
        page.wait_for_selector("text=资产地图")  # the figures are summed up first
        shoot(page, f"{root}/", "console-overview", 1200, 1000)
        page.goto(f"{root}/map")
        page.wait_for_selector("text=网段与用途")  # the pictures are made beside the request
        shoot(page, page.url, "console-map", 1200, 1100)
        shoot(page, f"{root}/assets", "console-assets", 1200, 900)
        page.click("text=10.77.1.30")
        shoot(page, page.url, "console-asset", 1200, 900)
        shoot(page, f"{root}/findings", "console-phone", 390, 844)


def main() -> None:
    """Make all pictures."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        work = Path(folder)
        os.environ["XDG_CONFIG_HOME"] = str(work / "config")
        demo = Path(sys.argv[1]) if len(sys.argv) > 1 else work / "demo"
        if len(sys.argv) < 2:
            subprocess.run([sys.executable, "-m", "sentinel", "demo", "--out", str(demo)], check=True, cwd=ROOT)
        sentinel(work / "paper", "init", *(word.replace("|", " ") for word in INIT.split(" ")))
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"],
        )
        page = browser.new_page()
        shoot(page, next((work / "paper" / "papers").rglob("扫描授权书.html")).as_uri(), "paper", 800, 1060)
        shoot(page, (demo / "brief.html").as_uri(), "brief", 1000, 1150)
        shoot(page, (demo / "school.html").as_uri(), "school", 1000, 1820)
        shoot(page, (demo / "map.html").as_uri(), "map", 1000, 1500)
        shoot(page, (demo / "mining.html").as_uri(), "mining", 1000, 1000)
        shoot_console(page, demo / "home")
        shoot_work(browser.new_page(), demo, work)
        browser.close()


if __name__ == "__main__":
    main()
