"""Write an offline bundle for this machine's Python, libc and architecture into a folder; prints its path.

Inside: the wheels of the runtime lock, sentinel's own wheel, pip to install them with, rules, documents, licences,
check sums and `install.sh`. The network is used to fetch the wheels, by their hashes in the lock, and for nothing else.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from pathlib import Path

from sentinel import __version__

ROOT = Path(__file__).resolve().parents[1]
LOCK = "requirements.run.lock"
PIP_LOCK = "requirements.pip.lock"
PAPERS = ("README.md", "CHANGELOG.md", "LICENSE", LOCK, "docs", "rules")
OLDEST_GLIBC = 28
"""Wheels are chosen for glibc 2.28 (2018), also on newer machines: the domestic systems of schools are built on it."""
NOT_OURS = {"scapy", "python-nmap"}
"""GPL, never distributed; see docs/decisions/0002-licences.md."""
LICENCE_FILE = re.compile(r"(licen[cs]e|copying|notice|authors)", re.IGNORECASE)
EPOCH = 1_577_836_800
"""Date of every file, 2020-01-01: the same inputs give the same bytes."""


@dataclass(frozen=True, slots=True)
class Target:
    """What the bundle runs on.

    Attributes:
        python: minor version, e.g. 3.11.
        libc: glibc or musl.
        machine: e.g. x86_64.
        soabi: what CPython calls all three, e.g. cpython-311-x86_64-linux-gnu.
    """

    python: str
    libc: str
    machine: str
    soabi: str


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel and what it says of its licence."""

    path: Path
    name: str
    version: str
    licence: str


def read_target() -> Target:
    """Ask this Python what it runs on."""
    soabi = str(sysconfig.get_config_var("SOABI"))
    libc = "musl" if soabi.endswith("musl") else "glibc"
    return Target(f"{sys.version_info.major}.{sys.version_info.minor}", libc, platform.machine(), soabi)


def pip(*words: str | Path) -> None:
    """Run the pip of the environment this runs in; without a word of its own unless it fails."""
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        last = [line for line in done.stdout.splitlines() if "WARNING" not in line][-3:]
        raise SystemExit("bundle: pip failed: " + " | ".join(last))


def fetch(lock: str, folder: Path, target: Target) -> None:
    """Download the wheels of a lock, by their hashes, for the oldest glibc that is served."""
    tags = [f"manylinux_2_{minor}_{target.machine}" for minor in range(OLDEST_GLIBC, 4, -1)]
    tags += [f"{old}_{target.machine}" for old in ("manylinux2014", "manylinux2010", "manylinux1")]
    chosen = [word for tag in tags for word in ("--platform", tag)] if target.libc == "glibc" else []
    only = ("--no-deps", "--only-binary", ":all:", "--require-hashes")
    pip("download", *only, *chosen, "-r", lock, "-d", folder)


def build_own(folder: Path) -> Path:
    """Build sentinel's wheel with the hatchling of the lock."""
    pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", folder, ".")
    (own,) = folder.glob("sentinel_campus-*.whl")
    return own


def read_metadata(wheel: zipfile.ZipFile) -> Message:
    """Read a wheel's METADATA."""
    (name,) = (one for one in wheel.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", one))
    return Parser().parsestr(wheel.read(name).decode())


def read_licence(said: Message) -> str:
    """Give a wheel's licence as it states it, in a line."""
    kinds = [one.rpartition(" :: ")[2] for one in said.get_all("Classifier", []) if one.startswith("License ::")]
    free = str(said["License"] or "").strip().splitlines() or [""]
    return str(said["License-Expression"] or " / ".join(kinds) or free[0]).strip()


def copy_licence(path: Path, folder: Path) -> Wheel:
    """Put a wheel's licence texts into a folder of its name.

    Raises:
        SystemExit: it has none, or one that may not be distributed with sentinel.
    """
    with zipfile.ZipFile(path) as wheel:
        said = read_metadata(wheel)
        found = Wheel(path, str(said["Name"]), str(said["Version"]), read_licence(said))
        texts = [
            one
            for one in wheel.namelist()
            if ".dist-info/" in one and not one.endswith("/") and LICENCE_FILE.search(one.rpartition("/")[2])
        ]
        own = folder / f"{found.name}-{found.version}"
        own.mkdir(parents=True)
        for one in texts:
            short = one.partition(".dist-info/")[2].removeprefix("licenses/").replace("/", "-")
            (own / short).write_bytes(wheel.read(one))
    if not texts or not found.licence:
        raise SystemExit(f"bundle: {path.name} comes without its licence")
    gpl = re.search(r"(?<!L)A?GPL|(?<!Lesser )General Public", found.licence)
    if gpl or found.name.lower() in NOT_OURS:
        raise SystemExit(f"bundle: {path.name} may not be distributed ({found.licence})")
    return found


def write_licences(wheels: list[Path], folder: Path) -> None:
    """Write every wheel's licence texts and a table of them."""
    found = [copy_licence(path, folder) for path in wheels]
    rows = [
        f"| {one.name} | {one.version} | {one.licence} |" for one in sorted(found, key=lambda one: one.name.lower())
    ]
    head = ["# 随附软件的许可 / licences of the software in this bundle", "", "| 软件 | 版本 | 许可 |", "|---|---|---|"]
    (folder / "README.md").write_text("\n".join([*head, *rows, ""]), encoding="utf-8")


def least_glibc(wheels: list[Path]) -> int:
    """Give the minor version of glibc 2 that every wheel is content with.

    Source: PEP 600 tags; manylinux2014 is 2.17 (PEP 599).
    """
    least = 0
    for path in wheels:
        tags = path.stem.rpartition("-")[2].replace("manylinux2014", "manylinux_2_17")
        minors = [int(one) for one in re.findall(r"manylinux_2_(\d+)", tags)]
        least = max(least, min(minors, default=0))
    return least


def hash_of(path: Path) -> str:
    """Give a file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_version(top: Path, target: Target, glibc: int) -> None:
    """Write what the installer compares with the machine."""
    lines = [f"version={__version__}", f"python={target.python}", f"soabi={target.soabi}", f"glibc={glibc}"]
    (top / "VERSION").write_text("\n".join([*lines, ""]))


def write_sums(top: Path) -> None:
    """Write the sum of every file, as `sha256sum -c` reads it."""
    files = sorted(path for path in top.rglob("*") if path.is_file())
    lines = [f"{hash_of(path)}  {path.relative_to(top)}\n" for path in files]
    (top / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def pack(top: Path, out: Path) -> Path:
    """Pack a folder, with the same bytes for the same files."""

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        member.mtime = EPOCH
        member.mode = 0o755 if member.isdir() or member.name.endswith(".sh") else 0o644
        return member

    path = out / f"{top.name}.tar.gz"
    half = path.with_suffix(".half")
    with (
        half.open("wb") as raw,
        gzip.GzipFile("", "wb", 6, raw, mtime=EPOCH) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        archive.add(top, top.name, filter=plain)  # a folder's names are added in order
    half.replace(path)
    (out / f"{path.name}.sha256").write_text(f"{hash_of(path)}  {path.name}\n")
    return path


def copy_papers(top: Path) -> None:
    """Copy what is read beside the program, and the installer."""
    for name in PAPERS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, top / name, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        else:
            shutil.copyfile(source, top / name)
    shutil.copyfile(ROOT / "scripts" / "install.sh", top / "install.sh")


def build(work: Path, out: Path) -> Path:
    """Put a bundle together in a work folder and pack it."""
    target = read_target()
    wheels, tools = work / "wheels", work / "tools"
    fetch(LOCK, wheels, target)
    fetch(PIP_LOCK, tools, target)
    own = build_own(wheels)
    every = [*sorted(wheels.iterdir()), *sorted(tools.iterdir())]
    glibc = least_glibc(every)
    libc = f"glibc2.{glibc}" if target.libc == "glibc" else target.libc
    top = work / f"sentinel-{__version__}-py{target.python}-linux-{libc}-{target.machine}"
    top.mkdir()
    copy_papers(top)
    write_licences(every, top / "licences")
    shutil.copytree(wheels, top / "wheels")
    shutil.copytree(tools, top / "tools")
    (top / "sentinel.lock").write_text(f"sentinel-campus=={__version__} --hash=sha256:{hash_of(own)}\n")
    write_version(top, target, glibc)
    write_sums(top)
    return pack(top, out)


def main() -> int:
    """Write the bundle and print its path."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    out: Path = parser.parse_args().out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("SOURCE_DATE_EPOCH", str(EPOCH))
    with tempfile.TemporaryDirectory(prefix="sentinel-bundle-") as folder:
        print(build(Path(folder), out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
