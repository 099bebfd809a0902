"""Makes the pictures of the user guide from the demonstration: its home and papers in, `docs/guide/pictures/*.png` out.

    .venv/bin/python scripts/guide_pictures.py [DEMO_FOLDER]

Without a folder the demonstration is held first (two minutes). Needs Chromium and CJK fonts; nothing leaves loopback.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "guide" / "pictures"
SCHOOL = "示例县第一中学"
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
    page.screenshot(path=PICTURES / f"{name}.png")


def shoot_console(page: Page, home: Path) -> None:
    """Enter the pages of a home and keep them, one as a phone shows it."""
    with serving(home) as address:
        page.goto(address)
        page.wait_for_url(lambda url: "/enter" not in url)
        root = page.url.rstrip("/")
        page.wait_for_selector("text=资产地图")  # the figures are summed up first
        shoot(page, f"{root}/", "console-overview", 1200, 1000)
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
        shoot(page, (demo / "school.html").as_uri(), "school", 1000, 1150)
        shoot(page, (demo / "map.html").as_uri(), "map", 1000, 1500)
        shoot(page, (demo / "mining.html").as_uri(), "mining", 1000, 1000)
        shoot_console(page, demo / "home")
        browser.close()


if __name__ == "__main__":
    main()
