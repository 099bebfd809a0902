"""A unit and its authorisation in; 扫描授权书 and 扫描告知书 out, as HTML and DOCX, readable by their owner alone.

They name a person to call, which is what they are for. So they lie in the home's `papers`, beside what is backed up.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from sentinel.collect.ranges import intersect, merge, range_of, subtract, to_networks
from sentinel.config import data_folder
from sentinel.errors import RenderError, UsageError
from sentinel.model.register import Exit
from sentinel.model.scope import Authorisation
from sentinel.model.unit import DEFAULT_NETWORK, IPNetwork, Network, Unit
from sentinel.report.paper import Covered, Paper, PaperFacts, build_authorisation_paper, build_notice_paper
from sentinel.report.paper_docx import render_paper_docx
from sentinel.report.render import render_paper
from sentinel.schedule.answers import ZONE_NAMES, place_text
from sentinel.schedule.context import Context
from sentinel.schedule.enrolment import AUTHORITY, DEFAULT_LEVEL, SECURITY
from sentinel.schedule.keep_out import build_kept_out, read_kept_out
from sentinel.schedule.kept_words import show_targets
from sentinel.store.declared import read_answers, read_contacts, read_exits
from sentinel.store.scopes import read_authorisations
from sentinel.store.units import read_networks, read_plans

PAPERS = {"authorisation": build_authorisation_paper, "notice": build_notice_paper}
FORMS = (".html", ".docx")


def write_papers(
    context: Context,
    unit: Unit,
    *,
    authorisation: int | None = None,
    source: str = "",
    kinds: Sequence[str] = tuple(PAPERS),
    out: Path | None = None,
) -> tuple[Path, ...]:
    """Write the papers of an authorisation (None: the newest that holds, else a draft to sign), mode 0600.

    `out` is a folder for both papers in both forms, or one file ending in .html or .docx for one paper; None is
    the home's own folder.

    Raises:
        UsageError: there is no such authorisation, or one file was named for two papers.
        RenderError: a file cannot be written.
    """
    facts = read_paper_facts(context, unit, authorisation, source)
    papers = [PAPERS[kind](facts) for kind in kinds]
    folder = out or context.home.papers / _file_name(unit.code)
    if folder.suffix in FORMS and not folder.is_dir():
        if len(papers) != 1:
            raise UsageError(
                "--out: one file holds one paper: add --paper authorisation or --paper notice, or name a folder"
            )
        wanted = [(papers[0], folder)]
    else:
        _make_folder(folder, is_ours=out is None)
        wanted = [(paper, folder / f"{paper.name}{form}") for paper in papers for form in FORMS]
    for paper, path in wanted:
        save_private(path, _render(context, paper, path.suffix))
    return tuple(path for _, path in wanted)


def read_paper_facts(context: Context, unit: Unit, number: int | None, source: str) -> PaperFacts:
    """Read what the papers of a unit are made of.

    Raises:
        UsageError: the unit has no authorisation of this number.
    """
    now = context.clock()
    signed = _choose(context, unit, number)
    networks = [one for one in read_networks(context.database, unit.code) if one.name != DEFAULT_NETWORK]
    kept = read_kept_out(context.database, unit)
    contacts = read_contacts(context.database, unit.code, context.load_seal())
    return PaperFacts(
        unit=unit,
        scope=_read_scope(networks, signed, kept),
        excluded=show_targets(build_kept_out(kept), signed.excluded).texts if signed else (),
        keeps_out=bool(kept),
        exits=tuple(_show_exits(read_exits(context.database, unit.code), kept)),
        authorisation=signed,
        by=signed.by if signed else read_answers(context.database, unit.code).get(AUTHORITY, ""),
        rate_pps=signed.rate_pps if signed else context.settings.rate_pps,
        level=signed.level if signed else DEFAULT_LEVEL,
        person=next((one.person for one in contacts if one.role == SECURITY), None),
        plan=next((one for one in read_plans(context.database) if one.unit == unit.code), None),
        source=source,
        now=now,
    )


def _show_exits(exits: Iterable[Exit], kept: Iterable[IPNetwork]) -> Iterator[Exit]:
    """Give ways out without the addresses that must stay out."""
    hidden = build_kept_out(kept)
    for one in exits:
        left = tuple(prefix for prefix in one.prefixes if not hidden.hides(prefix))
        if left:
            yield replace(one, prefixes=left)


def save_private(path: Path, content: bytes) -> None:
    """Write a file only its owner may read, whole or not at all.

    Raises:
        RenderError: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.unlink(missing_ok=True)
        with open(draft, "wb", opener=_owner_only) as stream:
            stream.write(content)
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise RenderError(f"{path}: cannot be written: {error.strerror or error}") from error


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_EXCL, 0o600)


def _make_folder(folder: Path, *, is_ours: bool) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if is_ours:
            folder.parent.chmod(0o700)
    except OSError as error:
        raise RenderError(f"{folder}: cannot be made: {error.strerror or error}") from error


def _render(context: Context, paper: Paper, form: str) -> bytes:
    if form == ".docx":
        return render_paper_docx(paper, context.clock())
    return render_paper(paper, data_folder("reports")).encode()


def _choose(context: Context, unit: Unit, number: int | None) -> Authorisation | None:
    known = read_authorisations(context.database, unit.code)
    if number is None:
        now = context.clock()
        return next((one for one in reversed(known) if one.is_valid(now)), None)
    found = next((one for one in known if one.id == number), None)
    if found is None:
        raise UsageError(f"unit {unit.name} has no authorisation {number}; `sentinel scope list` shows them")
    return found


def _read_scope(
    networks: Iterable[Network], signed: Authorisation | None, kept: Iterable[IPNetwork]
) -> tuple[Covered, ...]:
    """Give what is meant, network by network, those for logs only last.

    Where an authorisation covers all of a network but what must stay out, the network is printed as declared: the gap
    would tell what stays out.
    """
    networks = list(networks)
    logs = [
        Covered(one.name, ZONE_NAMES[one.zone], tuple(map(place_text, one.prefixes)), scannable=False)
        for one in networks
        if not one.scannable
    ]
    open_ones = [one for one in networks if one.scannable]
    if signed is None:
        rows = [
            Covered(one.name, ZONE_NAMES[one.zone], tuple(map(place_text, one.prefixes)), True) for one in open_ones
        ]
        return (*rows, *logs)
    targets = merge(range_of(target.network) for target in signed.targets if target.network)
    hidden = merge(range_of(prefix) for prefix in kept)
    rows = []
    for network in open_ones:
        declared = merge(range_of(prefix) for prefix in network.prefixes)
        covered = intersect(declared, targets)
        if covered:
            places = network.prefixes if not subtract(declared, (*covered, *hidden)) else to_networks(covered)
            rows.append(Covered(network.name, ZONE_NAMES[network.zone], tuple(map(place_text, places)), scannable=True))
        targets = subtract(targets, declared)
    closed = merge(range_of(prefix) for one in networks if not one.scannable for prefix in one.prefixes)
    rest = [place_text(prefix) for prefix in to_networks(subtract(targets, (*closed, *hidden)))]
    rest += [target.name for target in signed.targets if target.name]
    if rest:
        rows.append(Covered("未登记的网段与域名", "—", tuple(rest), scannable=True))
    return (*rows, *logs)


def _file_name(code: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in code)
