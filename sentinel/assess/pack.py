"""Folders of rules and control catalogues in, one compiled pack out, or every mistake of all files at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from sentinel.assess.catalogues import ControlFile, HighRiskCase, find_cases, read_controls, read_limited
from sentinel.assess.compile import compile_term
from sentinel.assess.correlation import Correlation
from sentinel.assess.correlationfile import Counted, read_correlation
from sentinel.assess.linking import find_unlinked, link_catalogues, list_tags
from sentinel.assess.pack_cache import Kept, code_mark, read_kept, write_kept
from sentinel.assess.questions import FOLDER as QUESTIONS
from sentinel.assess.questions import QuestionLine, read_questions
from sentinel.assess.retention import POLICY, check_retention
from sentinel.assess.rulefile import CompiledRule, References, RuleFile, read_rule
from sentinel.assess.score_table import SCORE, check_tables
from sentinel.assess.yamlnodes import Complaints, read_yaml
from sentinel.errors import Mistake, RuleError
from sentinel.model.control import Catalogue
from sentinel.model.rule import Rule

CONTROLS = "controls"
FEEDS = "feeds"
MAX_FILES = 5000


@dataclass(frozen=True, slots=True, eq=False)
class Pack:
    """Rules ready to judge, and the catalogues they speak to; compared by identity, as packs are large.

    Attributes:
        rules: sorted by name.
        catalogues: control catalogues in the order of their files, with the rules and questions of their clauses.
        high_risk: high-risk cases tags may name.
        hash: SHA-256 over the sorted file names and bytes; says exactly which pack judged.
        compiled: the rules about single subjects with their predicates, in the order of `rules`.
        correlations: the rules that count detections of others, in the order of `rules`.
    """

    rules: tuple[Rule, ...]
    catalogues: tuple[Catalogue, ...]
    high_risk: tuple[HighRiskCase, ...]
    hash: str
    compiled: tuple[CompiledRule, ...] = field(repr=False)
    correlations: tuple[Correlation, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class _Source:
    """A file of the pack with its name inside its folder."""

    name: str
    path: Path

    @property
    def is_control(self) -> bool:
        return CONTROLS in Path(self.name).parts[:-1]

    @property
    def is_questions(self) -> bool:
        return QUESTIONS in Path(self.name).parts[:-1]


_Content = tuple[_Source, bytes, Complaints]


def load_pack(folders: Sequence[Path], cache: Path | None = None) -> Pack:
    """Load every `*.yml` under the folders; below `controls/` stand catalogues, below `questions/` what people answer.

    What is below `feeds/`, `policy/` and `score/` is left out.

    In the folder `cache` what was read without mistakes is kept, and found again while no file changes.

    Raises:
        RuleError: files have mistakes; it holds all of them.
    """
    mistakes: list[Mistake] = []
    contents, digest = _read_files(folders, mistakes)
    key = sha256("\0".join((digest, code_mark(), *map(str, folders))).encode()).hexdigest()
    if cache is not None and not mistakes and (kept := read_kept(cache, key)) is not None:
        compiled = tuple(CompiledRule(rule, compile_term(term), term) for rule, term in kept.rules)
        rules = _sort_rules(compiled, kept.correlations)
        return Pack(rules, kept.catalogues, kept.high_risk, digest, compiled, kept.correlations)
    pack, found = _build_pack(contents, digest, mistakes)
    if found:
        raise RuleError(found)
    if cache is not None:
        terms = tuple((one.rule, one.term) for one in pack.compiled)
        write_kept(cache, key, Kept(terms, pack.correlations, pack.catalogues, pack.high_risk))
    return pack


def check_pack(folders: Sequence[Path]) -> tuple[Mistake, ...]:
    """Give every mistake of the files under the folders, retention policies too, sorted by file and line."""
    mistakes: list[Mistake] = []
    contents, digest = _read_files(folders, mistakes)
    return tuple(
        sorted((*_build_pack(contents, digest, mistakes)[1], *check_retention(folders), *check_tables(folders)))
    )


def _read_files(folders: Sequence[Path], mistakes: list[Mistake]) -> tuple[list[_Content], str]:
    """Give the files with their bytes, and the SHA-256 over all of them."""
    digest = sha256()
    contents: list[_Content] = []
    for source in _find_sources(folders, mistakes):
        complaints = Complaints(str(source.path))
        data = read_limited(source.path, complaints)
        digest.update(f"{source.name}\0{len(data)}\0".encode() + data)
        contents.append((source, data, complaints))
    return contents, digest.hexdigest()


def _build_pack(contents: list[_Content], digest: str, mistakes: list[Mistake]) -> tuple[Pack, tuple[Mistake, ...]]:
    controls: list[tuple[str, ControlFile]] = []
    questions: list[tuple[str, tuple[QuestionLine, ...]]] = []
    for source, data, complaints in contents:
        if not (source.is_control or source.is_questions):
            continue
        root = None if complaints.found else read_yaml(data, complaints)
        if root and source.is_control:
            controls.append((complaints.file, read_controls(root, complaints)))
        elif root:
            questions.append((complaints.file, read_questions(root, complaints)))
        mistakes += complaints.found
    broken = bool(mistakes)
    contents = [one for one in contents if not (one[0].is_control or one[0].is_questions)]
    told = tuple(catalogue for _, control in controls for catalogue in control.catalogues)
    files = _read_rules(contents, told, mistakes)
    correlations = _read_correlations(files, mistakes)
    mistakes += _duplicates(files)
    if len(files) == len(contents):  # a file that cannot be read may hold the rule a clause names
        mistakes += _unknown_rules(controls, files)
    mistakes += _duplicate_catalogues(controls)
    if not broken:  # a file that cannot be read may hold what another one points at
        mistakes += find_unlinked(controls, questions)
    compiled = sorted((file.compiled for _, file in files if file.compiled), key=lambda one: one.rule.name)
    rules = _sort_rules(compiled, correlations)
    catalogues = link_catalogues(told, rules, (row.question for _, rows in questions for row in rows))
    pack = Pack(rules, catalogues, find_cases(catalogues), digest, tuple(compiled), correlations)
    return pack, tuple(sorted(mistakes))


def _sort_rules(compiled: Iterable[CompiledRule], correlations: Iterable[Correlation]) -> tuple[Rule, ...]:
    rules = [*(one.rule for one in compiled), *(one.rule for one in correlations)]
    return tuple(sorted(rules, key=lambda rule: rule.name))


def _read_correlations(files: list[tuple[str, RuleFile]], mistakes: list[Mistake]) -> tuple[Correlation, ...]:
    """Read the correlations once all other rules are known, by name and by id."""
    known: dict[str, Counted] = {}
    for _, file in files:
        if file.compiled:
            one = Counted(file.compiled.rule, file.compiled.part.holds)
            known |= {one.rule.name: one, one.rule.id: one}
    found: list[Correlation] = []
    for _, file in files:
        if file.correlation:
            one_more = read_correlation(file.correlation, known)
            mistakes += file.correlation.complaints.found
            found += [one_more] if one_more else []
    return tuple(sorted(found, key=lambda one: one.rule.name))


def _find_sources(folders: Sequence[Path], mistakes: list[Mistake]) -> Iterator[_Source]:
    sources = []
    for folder in folders:
        if not folder.is_dir():
            mistakes.append(Mistake(str(folder), 0, "no such folder of rules"))
            continue
        for path in folder.rglob("*"):
            name = path.relative_to(folder)
            left_out = {FEEDS, POLICY, SCORE} & set(name.parts)
            if path.suffix in {".yml", ".yaml"} and not left_out and path.is_file():
                sources.append(_Source(name.as_posix(), path))
    if not sources and not mistakes:
        mistakes.append(Mistake(str(folders[0]) if folders else "rules", 0, "no rule file here"))
    if len(sources) > MAX_FILES:
        mistakes.append(Mistake(str(sources[0].path.parent), 0, f"more than {MAX_FILES} rule files"))
    yield from sorted(sources, key=lambda source: (source.name, str(source.path)))[:MAX_FILES]


def _read_rules(
    contents: list[_Content], catalogues: tuple[Catalogue, ...], mistakes: list[Mistake]
) -> list[tuple[str, RuleFile]]:
    references = References(list_tags(catalogues))
    files = []
    for _, data, complaints in contents:
        root = None if complaints.found else read_yaml(data, complaints)
        file = read_rule(root, references, complaints) if root else None
        if file:
            files.append((complaints.file, file))
        if file is None or file.correlation is None:  # what a correlation lacks is told when the others are known
            mistakes += complaints.found
    return files


def _duplicates(files: list[tuple[str, RuleFile]]) -> Iterator[Mistake]:
    seen: dict[str, str] = {}
    for path, file in files:
        for what, value, line in (("name", file.name, file.name_line), ("id", file.uuid, file.uuid_line)):
            if not value:
                continue
            if value in seen:
                yield Mistake(path, line, f"{what} {value!r} is already used in {seen[value]}", file.name)
            seen.setdefault(value, f"{path}:{line}")


def _unknown_rules(controls: list[tuple[str, ControlFile]], files: list[tuple[str, RuleFile]]) -> Iterator[Mistake]:
    known = {file.name for _, file in files}
    for path, control in controls:
        for name, line in control.rule_names:
            if name not in known:
                yield Mistake(path, line, f"a clause names unknown rule {name!r}")


def _duplicate_catalogues(controls: list[tuple[str, ControlFile]]) -> Iterator[Mistake]:
    seen: dict[str, str] = {}
    for path, control in controls:
        for catalogue in control.catalogues:
            if catalogue.id in seen:
                yield Mistake(path, 1, f"catalogue {catalogue.id!r} is already in {seen[catalogue.id]}")
            seen.setdefault(catalogue.id, path)
