"""The few files that never change while the server runs: style, htmx, mark; each under the sum of its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from sentinel.errors import ConfigError
from sentinel.report.render import LANGUAGES, render_page

_HTMX: Final = "js_lib_htmx/static/htmx/htmx.min.js"
_PACKAGE: Final = "django-js-lib-htmx"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is served."""

    body: bytes
    kind: str


class StaticFiles:
    """Files by the name in their address, which carries their sum.

    Attributes:
        names: address by plain name, e.g. `htmx.js`.
    """

    def __init__(self, templates: Path) -> None:
        self._files: dict[str, StaticFile] = {}
        self.names: dict[str, str] = {}
        for lang in LANGUAGES:
            style = render_page("console/console.css.j2", lang, templates, {"view": None})
            self._add(f"console-{lang}.css", style.encode(), "text/css; charset=utf-8")
        self._add("htmx.js", _read_htmx(), "text/javascript; charset=utf-8")
        for name, kind in (("enter.js", "text/javascript; charset=utf-8"), ("mark.svg", "image/svg+xml")):
            self._add(name, (templates / "console" / name).read_bytes(), kind)

    def find(self, name: str) -> StaticFile | None:
        """Give the file under a name with its sum."""
        return self._files.get(name)

    def _add(self, name: str, body: bytes, kind: str) -> None:
        stem, _, ending = name.rpartition(".")
        full = f"{stem}.{sha256(body).hexdigest()[:16]}.{ending}"
        self._files[full] = StaticFile(body, kind)
        self.names[name] = f"/static/{full}"


def _read_htmx() -> bytes:
    """Read htmx out of the package that carries it; Django, which that package is made for, is not needed.

    Raises:
        ConfigError: the package or the file is not there.
    """
    try:
        return Path(str(distribution(_PACKAGE).locate_file(_HTMX))).read_bytes()
    except (PackageNotFoundError, OSError) as error:
        raise ConfigError(f"htmx is missing (package {_PACKAGE}); install sentinel again") from error
