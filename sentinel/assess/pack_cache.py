"""A pack as one file of JSON, so that a pack whose files did not change is read in a tenth of the time."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from sentinel.assess.catalogues import HighRiskCase
from sentinel.assess.correlation import Correlation
from sentinel.assess.term import Term
from sentinel.model.control import Catalogue
from sentinel.model.rule import Rule

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_KEPT = 4


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a pack without mistakes.

    Attributes:
        rules: the rules about single subjects with their conditions, sorted by name.
        correlations: the rules that count detections of others.
        catalogues: control catalogues.
        high_risk: high-risk cases.
    """

    rules: tuple[tuple[Rule, Term], ...]
    correlations: tuple[Correlation, ...]
    catalogues: tuple[Catalogue, ...]
    high_risk: tuple[HighRiskCase, ...]


def read_kept(folder: Path, key: str) -> Kept | None:
    """Read the pack kept under a key; None when there is none, or it cannot be read."""
    try:
        return _adapter().validate_json(_file(folder, key).read_bytes(), strict=False)
    except (OSError, ValueError):
        return None


def write_kept(folder: Path, key: str, kept: Kept) -> None:
    """Keep a pack under a key, and the newest few besides; where it cannot be written nothing happens."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        file = _file(folder, key)
        beside = file.with_suffix(f".{os.getpid()}")
        beside.write_bytes(_adapter().dump_json(kept))
        beside.replace(file)
        files = sorted(folder.glob("rules-*.json"), key=lambda one: one.stat().st_mtime)
        for old in files[:-_KEPT]:
            old.unlink(missing_ok=True)


@lru_cache(maxsize=1)
def code_mark() -> str:
    """Give a sum over the modules that read rules: a pack read by other code is read again."""
    digest = sha256()
    here = Path(__file__).parent
    for module in sorted((*here.glob("*.py"), *here.with_name("model").glob("*.py"))):
        digest.update(module.read_bytes())
    return digest.hexdigest()


def _file(folder: Path, key: str) -> Path:
    return folder / f"rules-{key[:40]}.json"


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Kept]:
    from pydantic import TypeAdapter  # 60 ms, needed only where a pack is kept

    return TypeAdapter(Kept)
