"""A request and its steps in; its form, printed to a file, out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sentinel.model.unit import Unit
from sentinel.model.whitelist_request import RequestEvent, WhitelistRequest
from sentinel.report.request_paper import RequestPaper, print_request
from sentinel.schedule.context import Context
from sentinel.schedule.reporting import save_file


def save_request(
    context: Context, unit: Unit, request: WhitelistRequest, events: Sequence[RequestEvent], path: Path
) -> None:
    """Print the form of a request to a path, whole or not at all.

    Raises:
        RenderError: it cannot be written.
    """
    body = print_request(RequestPaper(unit.name, request, tuple(events), context.clock()))
    save_file(path, lambda draft: draft.write_bytes(body))
