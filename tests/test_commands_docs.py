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
    """Every command as typed after `sentinel`, those of groups inside groups too."""

    def walk(prefix: str, command: object) -> list[str]:
        inner = getattr(command, "commands", None)
        return [one for name in inner for one in walk(f"{prefix} {name}", inner[name])] if inner else [prefix.strip()]

    return walk("", typer.main.get_command(app))


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
