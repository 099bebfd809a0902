"""Measure judging a million services by 300 rules: sentinel beside a plain loop over all rules and beside DuckDB.

Run `.venv/bin/python bench/rules.py`; DuckDB takes part when it is installed. 300 Sigma rules, 30 of them with regular
expressions, judge a million services of a made-up province: 12,000 products and versions, titles of which half are met
once. The plain loop asks every rule of every hundredth service, or it would take minutes. All take turns on one core.
Medians of processor time are printed, with the memory of a process that judged. DuckDB reads a table loaded before.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path
from uuid import UUID

from sentinel.assess.judge import judge
from sentinel.assess.pack import Pack, load_pack
from sentinel.model.rule import Category, FieldValue, Subject

ROWS, RULES, STEP = 1_000_000, 300, 100
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
NAMES = ("address", "port", "proto", "service", "guessed", "product", "version", "title", "banner", "zone", "internet")
KINDS = (("http", 80), ("http", 8080), ("https", 443), ("ssh", 22), ("mysql", 3306), ("redis", 6379), ("smb", 445))
ZONES = ("server", "office", "dormitory", "iot", "dmz")
WORDS = ("门户", "login", "admin", "camera", "printer", "教务", "VPN", "mail", "library", "dashboard")

Row = tuple[FieldValue, ...]


def build_rows(count: int) -> Iterator[Row]:
    """Yield services as columns, always the same ones."""
    dice = random.Random(300)
    for number in range(count):
        service, port = KINDS[dice.randrange(len(KINDS))]
        product = f"{service} product {dice.randrange(120)}"
        web = service.startswith("http")
        words = f"{WORDS[dice.randrange(10)]} {WORDS[dice.randrange(10)]}"
        title = f"{words} {number if number % 2 else number % 5000}" if web else None
        banner = None if web else f"{product} {dice.randrange(2000)}"
        yield (
            IPv4Address(0x0A000000 + number // 4), port if number % 10 else port + number % 50, "tcp", service,
            number % 13 == 0, product, f"{dice.randrange(10)}.{dice.randrange(10)}", title, banner,
            ZONES[number % 5], number % 7 == 0,
        )  # fmt: skip


def build_rule(number: int) -> tuple[str, str, str]:
    """Give a rule as Sigma, as SQL, and what it fires on: of thirty, three search with a regular expression."""
    service, port = KINDS[number % len(KINDS)]
    word, kind = WORDS[number % 10], number % 30
    if kind < 3:
        pattern = f"{word}.*{number % 10}[0-9]*$"
        sigma = f"service|startswith: http, title|re: '{pattern}'"
        sql = f"starts_with(service, 'http') AND regexp_matches(title, '{pattern}')"
        return sigma, sql, f"service: http, title: '{word} {number % 10}'"
    if kind < 12:
        product, version = f"{service} product {number % 120}", f"{number % 10}."
        sigma = f"service: {service}, product: {product}, version|startswith: '{version}', guessed: false"
        sql = f"service = '{service}' AND product = '{product}' AND starts_with(version, '{version}') AND NOT guessed"
        return sigma, sql, f"service: {service}, product: {product}, version: '{version}1', guessed: false"
    if kind < 20:
        zone = ZONES[number % 5]
        sigma = f"port: {port}, zone: {zone}, internet: true"
        return sigma, f"port = {port} AND zone = '{zone}' AND internet", sigma
    if kind < 26:
        sigma = f"service: {service}, banner|contains: 'product {number}'"
        sql = f"service = '{service}' AND contains(banner, 'product {number}')"
        return sigma, sql, f"service: {service}, banner: 'product {number}'"
    start = IPv4Address(f"10.{number % 4}.{number % 256}.0")
    sql = f"service = '{service}' AND address BETWEEN {int(start)} AND {int(start) + 255}"
    return f"service: {service}, address|cidr: {start}/24", sql, f"service: {service}, address: {start + 1}"


def write_rules(folder: Path) -> list[str]:
    """Write the rules as Sigma files and give the same as SQL conditions."""
    conditions = []
    for number in range(RULES):
        sigma, condition, fires = build_rule(number)
        conditions.append(condition)
        (folder / f"{number:03}.yml").write_text(
            f"title: 规则 {number}\ntitle_en: rule {number}\nid: {UUID(int=number + 1)}\nname: bench.rule-{number}\n"
            "level: low\nlogsource: {product: sentinel, category: service}\n"
            f"detection:\n  selection: {{{sigma}}}\n  condition: selection\nremediation: 无\nremediation_en: none\n"
            f"cases:\n  fires: {{{fires}}}\n  quiet: {{port: 1, service: none}}\n",
            encoding="utf-8",
        )
    return conditions


def judge_all(pack: Pack, count: int) -> tuple[float, float, int]:
    """Judge as sentinel does; gives seconds with and without making the subjects, and the number of detections."""
    began = time.process_time()
    for _ in build_subjects(count):
        pass
    made = time.process_time() - began
    began = time.process_time()
    found = sum(1 for _ in judge(pack, build_subjects(count), NOW))
    whole = time.process_time() - began
    return whole, whole - made, found


def build_subjects(count: int) -> Iterator[Subject]:
    """Yield the services as subjects of rules."""
    for row in build_rows(count):
        fields = {name: value for name, value in zip(NAMES, row, strict=True) if value is not None}
        yield Subject(Category.SERVICE, "4141000000", 1, "x", fields)


def loop_all(pack: Pack, count: int) -> tuple[float, int]:
    """Ask every rule of every hundredth service; gives seconds for all of them, and detections among those asked."""
    asked = [one for number, one in enumerate(build_subjects(count)) if number % STEP == 0]
    began = time.process_time()
    found = sum(1 for subject in asked for one in pack.compiled if one.part.holds(subject.fields))
    return (time.process_time() - began) * STEP, found


class Duck:
    """The same services in a table of DuckDB, the same rules as SQL."""

    def __init__(self, conditions: list[str], count: int) -> None:
        import duckdb

        self._conditions = conditions
        self._base = duckdb.connect(config={"threads": 1})
        kinds = "address UINTEGER, port INT, proto TEXT, service TEXT, guessed BOOL, product TEXT, version TEXT"
        self._base.execute(f"CREATE TABLE service ({kinds}, title TEXT, banner TEXT, zone TEXT, internet BOOL)")
        with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8") as file:
            for row in build_rows(count):
                plain = (int(row[0]), *row[1:])
                file.write(",".join("" if one is None else str(one) for one in plain) + "\n")
            file.flush()
            self._base.execute(f"COPY service FROM '{file.name}' (HEADER false)")

    def ask(self) -> tuple[float, int]:
        """Ask rule by rule for the rows that match, as sentinel tells them; gives seconds and detections."""
        began = time.process_time()
        found = 0
        for condition in self._conditions:
            found += len(self._base.execute(f"SELECT rowid FROM service WHERE {condition}").fetchall())
        return time.process_time() - began, found


def measure_memory(folder: Path, count: int) -> float:
    """Judge in a process of its own; gives its greatest memory in MB."""
    command = [sys.executable, __file__, "--alone", str(folder), "--rows", str(count)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def show(name: str, seconds: list[float], note: str = "") -> float:
    """Print a median; gives it."""
    middle = statistics.median(seconds)
    print(f"{name:44} {middle:9.2f} s  {note}", flush=True)
    return middle


def compare(folder: Path, count: int, rounds: int) -> None:
    """Let all take turns and print medians."""
    conditions = write_rules(folder)
    began = time.process_time()
    pack = load_pack([folder])
    print(f"{RULES} rules loaded in {time.process_time() - began:.2f} s; {count:,} services")
    try:
        duck = Duck(conditions, count)
    except ImportError:
        duck = None
        print("duckdb is not installed and takes no part: .venv/bin/pip install duckdb")
    times: dict[str, list[float]] = {"whole": [], "judging": [], "loop": [], "duck": []}
    for _ in range(rounds):
        whole, judging, found = judge_all(pack, count)
        loop, _ = loop_all(pack, count)
        times["whole"].append(whole)
        times["judging"].append(judging)
        times["loop"].append(loop)
        if duck is not None:
            seconds, other = duck.ask()
            times["duck"].append(seconds)
            if other != found:
                raise SystemExit(f"sentinel found {found}, DuckDB {other}")
    show("sentinel, making the subjects included", times["whole"], f"{found:,} detections")
    own = show("sentinel, judging alone", times["judging"])
    print(f"{'':44} {show('plain loop over all rules', times['loop']) / own:9.1f} times as long")
    if duck is not None:
        print(f"{'':44} {show('DuckDB, one thread, table loaded before', times['duck']) / own:9.1f} times as long")
    print(f"memory of a process that judges all {measure_memory(folder, count):9.0f} MB")


def main() -> None:
    """Compare, or judge alone and print the memory it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--alone", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if args.alone:
        judge_all(load_pack([args.alone]), args.rows)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
        return
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder), args.rows, args.rounds)


if __name__ == "__main__":
    main()
