"""A page before it is printed, and the addresses its links are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

SECTIONS = ("overview", "map", "assets", "findings", "changes", "reports")


@dataclass(frozen=True, slots=True)
class Page:
    """What a template is given.

    Attributes:
        template: file under `reports/console/`.
        section: which entry of the menu it belongs to.
        values: what the template shows.
        refresh_s: the page asks again after so many seconds; 0: it does not.
        status: HTTP status.
    """

    template: str
    section: str
    values: Mapping[str, object] = field(default_factory=dict)
    refresh_s: int = 0
    status: int = 200


@dataclass(frozen=True, slots=True)
class Links:
    """Writes the addresses of pages, keeping the unit and a language that is not the usual one.

    Attributes:
        unit: code of the unit; empty before one is chosen.
        lang: language asked for in the address; empty when the usual one is meant.
    """

    unit: str
    lang: str

    def __call__(self, path: str = "", query: Mapping[str, object] | None = None, **changes: object) -> str:
        """Give the address of a page of the unit; changes replace values of the query, empty ones drop them."""
        values = {name: str(value) for name, value in {**(query or {}), **changes}.items() if value not in (None, "")}
        if self.lang:
            values["lang"] = self.lang
        return f"{self.bare(path)}{'?' + urlencode(values) if values else ''}"

    def bare(self, path: str = "") -> str:
        """Give the address without a query, as forms need it."""
        base = f"/unit/{quote(self.unit, safe='')}/" if self.unit else "/"
        return base + "/".join(quote(step, safe=":") for step in path.split("/"))
