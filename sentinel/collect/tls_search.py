"""A service in; which versions and weak suites of TLS it agrees to out, by offers that hold nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from sentinel.collect.tls_answer import ALERTS, Answer
from sentinel.collect.tls_exchange import Asker, End, Exchange
from sentinel.collect.tls_offer import SSL_2, SSL_3, TLCP, TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3, VERSION_NAMES, Offer
from sentinel.collect.tls_suites import NEWEST, PLAIN, SOUND, WEAK, families_of, without
from sentinel.collect.tls_suites import TLCP as TLCP_SUITES

ALL_SUITES = (*SOUND, *WEAK)
_MOST_SILENCES = 4
_MOST_FOREIGN = 2
_LINE = (TLS_1_2, TLS_1_1, TLS_1_0, SSL_3)
"""Versions of one greeting: an older one is chosen by the server itself."""


def version_offer(version: int, name: str) -> Offer:
    """Give the offer that finds out about one version: every suite it may be spoken with."""
    suites: Sequence[int] = ALL_SUITES
    if version in {TLS_1_3, TLCP, SSL_2}:
        suites = {TLS_1_3: NEWEST, TLCP: TLCP_SUITES, SSL_2: ()}[version]
    return Offer(version, suites, name, has_protocols=version == TLS_1_2)


@dataclass(slots=True)
class VersionSearch:
    """Finds the versions a service speaks, newest first, one connection for each that is not known already.

    Attributes:
        asker: the way to the service.
        name: server name to ask for.
        accepted: the answer by version it agreed to.
        refused: versions it does not agree to.
        untold: versions of which nothing was found out.
        is_tls: it sent at least one record of SSL or TLS.
        foreign: answers that are none.
        silences: versions nothing came of.
        reason: why nothing came of the newest one that failed.
    """

    asker: Asker
    name: str
    accepted: dict[int, Answer] = field(default_factory=dict)
    refused: set[int] = field(default_factory=set)
    untold: set[int] = field(default_factory=set)
    is_tls: bool = False
    foreign: int = 0
    silences: int = 0
    reason: str = ""

    @property
    def is_foreign(self) -> bool:
        """Whether the service speaks, and speaks no TLS."""
        return self.foreign >= _MOST_FOREIGN and not self.is_tls

    @property
    def newest_greeting(self) -> int | None:
        """The newest version up to TLS 1.2 it agreed to, SSL 2 apart."""
        return next((version for version in _LINE if version in self.accepted), None)

    @property
    def oldest_greeting(self) -> int | None:
        """The oldest version from SSL 3 to TLS 1.2 it agreed to."""
        return next((version for version in reversed(_LINE) if version in self.accepted), None)

    async def run(self) -> None:
        """Find out about every version; what takes too long, or speaks something else, is not asked to the end."""
        for version in VERSION_NAMES:
            if version in self.accepted or version in self.refused or self.is_foreign:
                continue
            if self.silences >= _MOST_SILENCES:
                self.untold.add(version)
                continue
            offer = version_offer(version, self.name)
            found = await self.asker.ask(offer)
            if version == TLS_1_2 and found.answer.version is None and found.end is not End.TOLD:
                self._note(found)
                offer = replace(offer, suites=PLAIN, has_protocols=False, is_plain=True)
                found = await self.asker.ask(offer)
            self.take(offer, found)

    def take(self, offer: Offer, found: Exchange) -> None:
        """Take what an offer of one version was answered with."""
        self._note(found)
        if found.answer.version is None and not found.is_refusal:
            self.untold.add(offer.version)
            self.silences += 1
            return
        agreed = agreed_version(offer, found.answer)
        if agreed is None:
            self.refused.add(offer.version)
            return
        self.accepted.setdefault(agreed, found.answer)
        self.refused.update(one for one in _LINE if agreed < one <= offer.version)

    def _note(self, found: Exchange) -> None:
        self.is_tls = self.is_tls or found.answer.is_tls
        self.foreign += found.answer.is_foreign
        if found.answer.alert is not None:
            self.reason = (
                f"it refuses every offer of tls: {ALERTS.get(found.answer.alert, f'alert {found.answer.alert}')}"
            )
        elif found.reason:
            self.reason = found.reason


def agreed_version(offer: Offer, answer: Answer) -> int | None:
    """Give the version an answer agrees to; None where it agrees to none, or to what was never offered."""
    agreed = answer.version
    if agreed is None or (agreed != SSL_2 and answer.suite not in offer.suites):
        return None
    is_older = agreed in _LINE and offer.version in _LINE and agreed <= offer.version
    return agreed if agreed == offer.version or is_older else None


@dataclass(frozen=True, slots=True)
class WeakSuites:
    """Weak suites a service agreed to.

    Attributes:
        families: their weak families, sorted.
        suites: those it chose, by number, in the order they were found.
        is_whole: it was asked until it agreed to no further one.
    """

    families: tuple[str, ...]
    suites: tuple[int, ...]
    is_whole: bool


async def find_weak_suites(asker: Asker, name: str, versions: Iterable[int], chosen: Iterable[int]) -> WeakSuites:
    """Offer weak suites alone, leaving out the families already met, until the service agrees to none.

    A server without weak suites is asked once for each of `versions`; `chosen` are suites known before.
    """
    suites = [one for one in dict.fromkeys(chosen) if families_of(one)]
    families = {family for one in suites for family in families_of(one)}
    is_whole = True
    for version in dict.fromkeys(versions):
        while left := without(WEAK, families):
            offer = Offer(version, left, name)
            found = await asker.ask(offer, only_hello=True)
            is_whole = is_whole and (found.answer.version is not None or found.is_refusal)
            if agreed_version(offer, found.answer) is None:
                break
            suites.append(found.answer.suite)
            families.update(families_of(found.answer.suite))
    return WeakSuites(tuple(sorted(families)), tuple(suites), is_whole)
