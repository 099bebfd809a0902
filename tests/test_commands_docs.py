"""The command reference names every command and every long option of the command line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from sentinel.cli.app import app

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


def commands() -> list[str]:
    found = []
    tree = typer.main.get_command(app)
    for name, command in tree.commands.items():
        inner = getattr(command, "commands", None)
        found += [f"{name} {one}" for one in inner] if inner else [name]
    return found


@pytest.mark.parametrize("command", commands())
def test_reference_when_read_names_the_command(command: str) -> None:
    assert f"`{command}" in TEXT


def options() -> list[str]:
    tree = typer.main.get_command(app)
    leaves = [leaf for one in tree.commands.values() for leaf in getattr(one, "commands", {"": one}).values()]
    named = {word for leaf in leaves for option in leaf.params for word in option.opts if word.startswith("--")}
    return sorted(named - {"--help"})


@pytest.mark.parametrize("option", options())
def test_reference_when_read_names_the_option(option: str) -> None:
    assert re.search(rf"{option}(?![\w-])", TEXT)


@pytest.mark.parametrize("command", sorted({one.split()[0] for one in commands()}))
def test_readme_when_read_names_the_group(command: str) -> None:
    assert f"`{command}" in (ROOT / "README.md").read_text(encoding="utf-8")
