"""The architecture, held by reading the source: who imports whom, one home for each library, the figures of style."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median

import pytest

import sentinel

ROOT = Path(sentinel.__file__).parent
STAGES = ("collect", "observe", "traffic", "inventory", "assess", "respond", "report", "drill")

HOMES = {
    "alembic": {"store.append_only", "store.schema", "store.migrations"},
    "apscheduler": {"schedule.clock"},
    "cryptography": {
        "collect.tls_certificate",
        "console.certificate",
        "drill.school.process",
        "drill.servers.certificate",
        "drill.recording.trust",
        "store.seal",
    },
    "dns": {"collect.dns_asking", "drill.servers.names", "drill.recording.lookup"},
    "docx": {"report.docx_page", "report.order_paper"},
    "fastapi": {"console.app"},
    "jinja2": {"report.render"},
    "markupsafe": {"console.page_overview", "report"},
    "nmap": {"collect.second_opinion"},
    "openpyxl": {"observe.table", "drill.papers", "report.sheet_forms", "report.workbook"},
    "psycopg": {"store.portable", "store.postgres", "store.postgres_schema", "store.postgres_values"},
    "pydantic": {"assess.pack_cache"},
    "re2": {"assess.regex", "observe.mapping"},
    "rich": {"cli"},
    "sigma": {"assess"},
    "sqlalchemy": {"store"},
    "sqlmodel": {"store"},
    "starlette": {"console.guard"},
    "typer": {"cli"},
    "uvicorn": {"console.connection", "console.serve"},
    "yaml": {"assess.yamlnodes"},
    "zstandard": {"observe.unpack", "store"},
}
"""Each third-party package with the only modules that may import it; what is not named here is not imported at all."""

SENDERS = {"asyncio", "socket", "socketserver", "ssl", "http", "urllib", "ftplib", "smtplib", "telnetlib", "xmlrpc"}
MAY_SEND = {
    "collect.dialer",
    "collect.names",
    "collect.privilege",
    "collect.probing",
    "collect.tls_newest",
    "console.app",
    "console.certificate",
    "console.connection",
    "console.guard",
    "console.machine",
    "console.serve",
    "drill",
}
"""The gate's stage asks the resolver and looks which sockets it may open (nmap sends the rest; TLS 1.3 is spoken in
memory, over a connection of the dialer); the practice school
and its services open their own; the console listens for browsers and calls nobody. `urllib.parse` opens nothing."""

MAY_START = {
    "collect.child",
    "drill.crowd.commands",
    "drill.native.child",
    "drill.recording.session",
    "drill.school.running",
    "drill.standing.control",
    "schedule.service.systemctl",
}
"""Modules that start other programs."""

MAY_CATCH_ALL = {
    "collect.probing",
    "cli",
    "console.builds",
    "console.guard",
    "drill.school.running",
    "schedule.clock",
    "schedule.demo.scans",
    "store.database",
    "store.portable",
    "store.postgres",
    "store.restore",
    "store.sqlite",
}
"""Job boundaries: the process, one unit's cycle, one request, one thing made beside the requests, a thread that hands
its error on, a transaction that rolls back, children that must be ended."""


def name_of(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, ast.Module]:
    """All modules by their name without the leading `sentinel.`; the package itself is empty."""
    return {name_of(path): ast.parse(path.read_text(encoding="utf-8")) for path in sorted(ROOT.rglob("*.py"))}


def is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def walk(node: ast.AST, *, types: bool) -> Iterator[ast.AST]:
    """Give every node below, in functions too; those for type checkers only when asked."""
    for child in ast.iter_child_nodes(node):
        if types or not is_for_types_only(child):
            yield child
            yield from walk(child, types=types)


def imports(name: str, *, types: bool = True) -> set[str]:
    """Give the dotted names a module imports, lazily or not: `sentinel.model.unit`, `urllib.parse`."""
    is_package = (ROOT / Path(*name.split(".")) / "__init__.py").exists()
    found: set[str] = set()
    for node in walk(modules()[name], types=types):
        if isinstance(node, ast.Import):
            found.update(one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                here = ["sentinel", *name.split(".")]
                parent = here[: len(here) - node.level + is_package]
                base = ".".join([*parent, *filter(None, [node.module])])
            inside = {f"{base}.{one.name}" for one in node.names if is_module(f"{base}.{one.name}")}
            found.update(inside if len(inside) == len(node.names) else {base, *inside})
        elif isinstance(node, ast.Call) and called(node) in {"import_module", "__import__"}:
            (first, *_) = node.args
            assert isinstance(first, ast.Constant), f"{name} imports what nobody can read"
            found.add(str(first.value))
    return found


def called(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def is_module(dotted: str) -> bool:
    return dotted.startswith("sentinel.") and dotted.removeprefix("sentinel.") in modules()


def ours(name: str, *, types: bool = True) -> set[str]:
    """Give the modules of ours a module imports, without the leading `sentinel.`."""
    return {
        one.partition(".")[2] for one in imports(name, types=types) if one == "sentinel" or one.startswith("sentinel.")
    }


def is_under(name: str, homes: set[str]) -> bool:
    return any(name == home or name.startswith(f"{home}.") for home in homes)


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for name, tree in modules().items():
        if not name.startswith("store.migrations"):
            for node in ast.walk(tree):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    yield f"{name}:{node.lineno} {node.name}", node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("stage", STAGES)
def test_stage_imports_only_model_errors_and_itself(stage: str) -> None:
    allowed = {"model", "errors", stage}
    wrong = {
        f"{name} imports {one}"
        for name in modules()
        if is_under(name, {stage})
        for one in ours(name)
        if not is_under(one, allowed)
    }
    assert not wrong


@pytest.mark.parametrize(
    ("layer", "allowed"),
    [
        ("errors", set()),
        ("log", set()),
        ("model", {"model", "errors"}),
        ("config", {"model", "errors"}),
        ("store", {"store", "model", "errors"}),
        ("exchange", {"exchange", "store", "model", "errors"}),
        ("schedule", {*STAGES, "schedule", "store", "exchange", "model", "errors", "log", "config"}),
    ],
)
def test_layer_imports_only_what_the_architecture_allows(layer: str, allowed: set[str]) -> None:
    wrong = {
        f"{name} imports {one}"
        for name in modules()
        if is_under(name, {layer})
        for one in ours(name)
        if not is_under(one, allowed)
    }
    assert not wrong


@pytest.mark.parametrize("package", ["model", "inventory", "respond"])
def test_pure_values_need_the_standard_library_only(package: str) -> None:
    wrong = {
        f"{name} imports {one}"
        for name in modules()
        if is_under(name, {package})
        for one in imports(name)
        if one.partition(".")[0] not in {*sys.stdlib_module_names, "sentinel"}
    }
    assert not wrong


def test_every_package_belongs_to_the_architecture() -> None:
    known = {
        *STAGES,
        "model",
        "store",
        "exchange",
        "schedule",
        "console",
        "cli",
        "errors",
        "log",
        "config",
        "__main__",
        "",
    }
    assert {name.partition(".")[0] for name in modules()} <= known


def test_every_third_party_package_has_one_home() -> None:
    wrong = set()
    for name in modules():
        for one in imports(name):
            package = one.partition(".")[0]
            if package in sys.stdlib_module_names or package == "sentinel":
                continue
            if not is_under(name, HOMES.get(package, set())):
                wrong.add(f"{name} imports {package}")
    assert not wrong


def test_every_home_named_is_one() -> None:
    used = {(package, name) for name in modules() for package in {one.partition(".")[0] for one in imports(name)}}
    missing = {
        f"{home} does not import {package}"
        for package, homes in HOMES.items()
        for home in homes
        if not any(package == one and is_under(name, {home}) for one, name in used)
    }
    assert not missing


def test_nmap_libraries_under_the_gpl_are_never_imported_when_a_module_is_loaded() -> None:
    for name, tree in modules().items():
        top = {one.name for node in tree.body if isinstance(node, ast.Import) for one in node.names}
        assert not top & {"nmap", "scapy"}, name


def test_only_collectors_and_the_practice_school_open_sockets() -> None:
    wrong = {
        f"{name} imports {one}"
        for name in modules()
        for one in imports(name)
        if one.partition(".")[0] in SENDERS and one != "urllib.parse" and not is_under(name, MAY_SEND)
    }
    assert not wrong


def test_only_named_modules_start_programs() -> None:
    starting = {name for name in modules() if imports(name) & {"subprocess", "multiprocessing", "pty"}}
    assert {name for name in starting if not is_under(name, MAY_START)} == set()
    shells = {
        name
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (called(node) in {"system", "popen"} or any(one.arg == "shell" for one in node.keywords))
    }
    assert not shells


def test_no_module_imports_itself_through_others() -> None:
    graph = {name: {one for one in ours(name, types=False) if one in modules() and one != name} for name in modules()}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"import cycle: {' -> '.join((*path[path.index(name) :], name))}"
        if name not in done:
            for one in sorted(graph[name]):
                visit(one, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_no_module_is_longer_than_400_lines() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in ROOT.rglob("*.py")}
    assert {name_of(path): lines for path, lines in lengths.items() if lines > 400} == {}


def test_functions_keep_the_figures_of_the_house() -> None:
    lengths = {name: length(node) for name, node in functions()}
    assert {name: lines for name, lines in lengths.items() if lines >= 60} == {}
    assert median(lengths.values()) <= 10
    assert sum(lines < 30 for lines in lengths.values()) >= 0.9 * len(lengths)


def test_every_function_says_what_it_returns() -> None:
    assert [name for name, node in functions() if node.returns is None] == []


def test_one_cycle_reads_as_the_list_of_the_stages() -> None:
    assert len((ROOT / "schedule" / "cycle.py").read_text(encoding="utf-8").splitlines()) < 80


def test_everything_is_caught_at_job_boundaries_only() -> None:
    def is_broad(node: ast.ExceptHandler) -> bool:
        kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        return any(one is None or getattr(one, "id", "") in {"Exception", "BaseException"} for one in kinds)

    broad = {
        name
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and is_broad(node)
    }
    assert broad == MAY_CATCH_ALL


def test_modules_are_nouns_of_the_field() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "base", "core", "data", "info"}
    assert {name for name in modules() if name.rpartition(".")[2] in vague} == set()
    classes = {node.name for tree in modules().values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    assert {name for name in classes if name.endswith(("Manager", "Helper", "Util", "Utils", "Data", "Info"))} == set()


def test_every_module_begins_with_what_it_is_for() -> None:
    missing = {
        name
        for name, tree in modules().items()
        if tree.body and not ast.get_docstring(tree) and not name.startswith("store.migrations")
    }
    assert not missing
