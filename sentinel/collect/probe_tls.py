"""Look at a TLS server as anybody may who greets it: versions, suites, compression, and the certificates it shows.

Every offer has a connection of its own and ends before anything is exchanged; only a server that speaks TLS 1.3 alone
shows its certificates in a finished handshake, which is then hung up. Source: facts of GB/T 39786 in `rules/tls`.
"""

from __future__ import annotations

from sentinel.collect.dialer import Dialer, Line, NoAnswerError
from sentinel.collect.look import Prober, ProbeTarget
from sentinel.collect.tls_certificate import read_certificates
from sentinel.collect.tls_exchange import Asker, Exchange
from sentinel.collect.tls_newest import read_newest_chain
from sentinel.collect.tls_offer import (
    SSL_2,
    TLCP,
    TLS_1_2,
    TLS_1_3,
    VERSION_NAMES,
    Offer,
    sent_name,
)
from sentinel.collect.tls_search import VersionSearch, WeakSuites, agreed_version, find_weak_suites, version_offer
from sentinel.collect.tls_start import STARTS, NoStartError
from sentinel.collect.tls_suites import FINITE_FIELD, FORWARD, has_forward_secrecy, suite_name
from sentinel.model.probe import UNTOLD
from sentinel.model.scope import Level

_SHOWN = (
    *("certificate_sha256", "certificate_unreadable", "names", "key_type", "key_bits", "signature", "self_signed"),
    *("not_after", "days_left", "expired", "not_yet_valid", "chain_complete", "chain_broken", "chain_signatures"),
    *("name_mismatch", "sm2"),
)
"""Fields of certificates."""


async def look_at_tls(target: ProbeTarget, dialer: Dialer) -> dict[str, object]:
    """Find out what a TLS server agrees to and what it shows; `{"tls": False}` where it answers with something else.

    Asked by a name, a server that answers just as it does without one is asked for no more than its certificates.

    Raises:
        NoAnswerError: it cannot be reached, says nothing, or agrees to nothing that was offered.
    """
    name = sent_name(target.name)
    asker = Asker(target, dialer)
    values: dict[str, object] = {"tls": True}
    if not target.is_tls and target.service in STARTS:
        asker.begin = STARTS[target.service]
        if not await _starts(asker):
            return {"tls": False, "starttls": False}
        values["starttls"] = True
    search = VersionSearch(asker, name)
    if name:
        by_name, is_all = await _look_by_name(asker, name, search)
        values |= by_name
        if is_all:
            return values
    await search.run()
    if search.is_foreign:
        return {"tls": False}
    if not search.accepted:
        raise NoAnswerError(search.reason or "it agrees to no offer of tls")
    values |= await _read_all(search, asker, name)
    return values | {UNTOLD: _untold(values)}


def _untold(values: dict[str, object]) -> list[str]:
    """Give the fields a server that fell silent, or showed no certificate, left open."""
    untold = [field for field in ("tlcp", "forward_secrecy") if values.get(field) is None]
    untold += ["versions", "compression", "dh_bits", "weak_suites"] if values.get("untold_versions") else []
    untold += ["weak_suites"] if values.get("weak_suites_untold") else []
    is_shown = "certificate_sha256" in values or "certificate_unreadable" in values
    return list(dict.fromkeys(untold if is_shown else [*untold, *_SHOWN]))


async def _starts(asker: Asker) -> bool:
    """Tell whether a server that is to begin TLS in the middle does so."""
    assert asker.begin is not None
    async with asker.dialer.open(asker.target.address, asker.target.port, Level.SERVICE) as line:
        try:
            await asker.begin(line)
        except NoStartError:
            return False
    return True


async def _look_by_name(asker: Asker, name: str, search: VersionSearch) -> tuple[dict[str, object], bool]:
    """Hold the answer to a name against that to none; gives what that tells, and whether there is no more to ask."""
    offer = version_offer(TLS_1_2, name)
    bare, named = await asker.ask(version_offer(TLS_1_2, "")), await asker.ask(offer)
    if _is_same(bare, named):
        return {"needs_name": False} | _read_answer(named, name), True
    search.take(offer, named)
    if (
        bare.is_refusal and named.is_refusal and named.answer.is_tls
    ):  # it may speak TLS 1.3 alone, where certificates show in a handshake
        before, _ = await _shake_hands(asker, "")
        chain, protocol = await _shake_hands(asker, name)
        found: dict[str, object] = {"needs_name": False} if before else {}
        if before and before == chain:
            return found | {"alpn": protocol} | read_certificates(chain, name), True
        return found, False
    if agreed_version(offer, named.answer) is not None and (bare.is_refusal or bare.answer.version is not None):
        return {"needs_name": bare.answer.version is None}, False
    return {}, False


def _is_same(one: Exchange, other: Exchange) -> bool:
    """Tell whether two answers agree to the same and show the same certificate."""
    first, second = one.answer, other.answer
    return (
        first.version is not None
        and bool(first.chain)
        and (first.version, first.suite, first.chain)
        == (
            second.version,
            second.suite,
            second.chain,
        )
    )


def _read_answer(found: Exchange, name: str) -> dict[str, object]:
    answer = found.answer
    return {"alpn": answer.protocol, "ocsp_stapled": answer.is_stapled} | read_certificates(answer.chain, name)


async def _read_all(search: VersionSearch, asker: Asker, name: str) -> dict[str, object]:
    accepted = search.accepted
    values: dict[str, object] = {
        "versions": [VERSION_NAMES[one] for one in VERSION_NAMES if one in accepted],
        "untold_versions": [VERSION_NAMES[one] for one in VERSION_NAMES if one in search.untold],
        "suites": [
            f"{VERSION_NAMES[one]} {suite_name(accepted[one].suite)}"
            for one in VERSION_NAMES
            if one in accepted and one != SSL_2
        ],
        "tlcp": None if TLCP in search.untold else TLCP in accepted,
    }
    newest, oldest = search.newest_greeting, search.oldest_greeting
    if newest is not None and oldest is not None:
        chosen = [one.suite for version, one in accepted.items() if version != SSL_2]
        weak = await find_weak_suites(asker, name, (newest, oldest), chosen)
        values |= _read_weak(weak) | {
            "compression": any(one.is_compressed for one in accepted.values()),
            "ocsp_stapled": accepted[newest].is_stapled,
            "alpn": accepted[newest].protocol,
            "dh_bits": await _read_dh_bits(asker, name, newest),
        }
    values["forward_secrecy"] = await _has_forward_secrecy(search, asker, name)
    return values | await _read_shown(search, asker, name)


def _read_weak(weak: WeakSuites) -> dict[str, object]:
    return {
        "weak_suites": weak.families,
        "weak_suite_names": [suite_name(one) for one in weak.suites],
        "weak_suites_untold": None if weak.is_whole else True,
    }


async def _read_dh_bits(asker: Asker, name: str, version: int) -> int | None:
    """Give the length of the Diffie-Hellman group a server uses; None: it uses none, or that was not found out."""
    offer = Offer(version, FINITE_FIELD, name)
    found = await asker.ask(offer)
    return found.answer.dh_bits if agreed_version(offer, found.answer) is not None else None


async def _has_forward_secrecy(search: VersionSearch, asker: Asker, name: str) -> bool | None:
    """Tell whether sessions keep their secret when the key gets known; None: not found out."""
    version = search.newest_greeting
    if TLS_1_3 in search.accepted:
        return True
    if version is None:
        return None
    if has_forward_secrecy(search.accepted[version].suite):
        return True
    offer = Offer(version, FORWARD, name)
    found = await asker.ask(offer, only_hello=True)
    if found.answer.version is None and not found.is_refusal:
        return None
    return agreed_version(offer, found.answer) is not None


async def _read_shown(search: VersionSearch, asker: Asker, name: str) -> dict[str, object]:
    """Read the certificates: those of the newest version that shows them in clear, else of TLS 1.3, SSL 2 or TLCP."""
    accepted = search.accepted
    twin = accepted[TLCP].chain if TLCP in accepted else ()
    second = read_certificates(twin, name, has_two=True)
    clear = [accepted[one].chain for one in VERSION_NAMES if one in accepted and one != TLCP and accepted[one].chain]
    values: dict[str, object] = {}
    if clear:
        values = read_certificates(clear[0], name)
    elif TLS_1_3 in accepted:
        chain, protocol = await _shake_hands(asker, name)
        values = read_certificates(chain, name) | ({"alpn": protocol} if protocol else {})
    values = values or second
    if values.get("sm2") or second.get("sm2"):
        values["sm2"] = True
    return values


async def _shake_hands(asker: Asker, name: str) -> tuple[tuple[bytes, ...], str]:
    try:
        async with asker.dialer.open(asker.target.address, asker.target.port, Level.SERVICE) as line:
            await _begin(asker, line)
            return await read_newest_chain(line, name)
    except NoAnswerError:
        return (), ""  # the versions are known all the same


async def _begin(asker: Asker, line: Line) -> None:
    if asker.begin is not None:
        await asker.begin(line)


TLS = Prober(Level.SERVICE, look_at_tls)
