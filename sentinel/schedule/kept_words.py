"""What a listing holds of addresses in; what may be shown of it, and what has no effect for it stays out, out.

Papers and consents keep what was written on them; while their addresses stay out they have no effect there. That is
judged whenever they are listed, so it holds for what was declared later, elsewhere on the campus, or withdrawn again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sentinel.errors import UsageError
from sentinel.model.scope import Target
from sentinel.model.unit import IPNetwork, Unit
from sentinel.schedule.context import Context
from sentinel.schedule.keep_out import KeptOut, load_kept_out
from sentinel.store.units import find_unit

HIDDEN = "（已排除）"
"""What stands for addresses that must stay out."""


class Kept(StrEnum):
    """How much of a row stays out."""

    NONE = ""
    PART = "part"
    WHOLE = "whole"


STATE_WORDS = {Kept.NONE: "", Kept.PART: "部分地址已排除", Kept.WHOLE: "地址已排除，不生效"}


@dataclass(frozen=True, slots=True)
class Shown:
    """What may be shown of a row's places.

    Attributes:
        texts: its places, without those that stay out as a whole.
        kept: how much stays out.
        hidden: places that are not shown.
    """

    texts: tuple[str, ...]
    kept: Kept
    hidden: int

    @property
    def line(self) -> str:
        """All of it on one line, with a mark for what is not shown."""
        places = (text.removesuffix("/32").removesuffix("/128") for text in self.texts)
        return "、".join((*places, *((HIDDEN,) if self.hidden else ())))


def show_targets(kept: KeptOut, targets: Iterable[Target]) -> Shown:
    """Give what may be shown of targets; a name is shown, wherever it leads."""
    return _show(kept, [(one.text, one.network) for one in targets])


def show_prefixes(kept: KeptOut, prefixes: Iterable[IPNetwork]) -> Shown:
    """Give what may be shown of addresses and prefixes."""
    return _show(kept, [(str(one), one) for one in prefixes])


def _show(kept: KeptOut, places: Sequence[tuple[str, IPNetwork | None]]) -> Shown:
    left = tuple(text for text, prefix in places if prefix is None or not kept.hides(prefix))
    hidden = len(places) - len(left)
    if hidden and not left:
        return Shown((), Kept.WHOLE, hidden)
    met = hidden or any(prefix is not None and kept.meets(prefix) for _, prefix in places)
    return Shown(left, Kept.PART if met else Kept.NONE, hidden)


def join_state(state: str, kept: Kept) -> str:
    """Put why a row has no effect, or not all of it, in place of its state or behind it."""
    if kept is Kept.WHOLE:
        return STATE_WORDS[kept]
    return f"{state}，{STATE_WORDS[kept]}" if kept else state


def load_kept_of(context: Context, codes: Iterable[str]) -> dict[str, KeptOut]:
    """Give what stays out of units by their codes."""
    units = {code: find_unit(context.database, code) for code in dict.fromkeys(codes)}
    return {code: load_kept_out(context, unit) if unit else KeptOut(()) for code, unit in units.items()}


def refuse_whole(context: Context, unit: Unit, prefixes: Iterable[IPNetwork]) -> None:
    """Refuse what somebody enters of addresses that stay out as a whole; of a wider prefix the rest has its effect.

    Raises:
        UsageError: one does; the one line counts them and names none.
    """
    kept = load_kept_out(context, unit)
    count = sum(map(kept.hides, prefixes))
    if count:
        places = "1 of the places is" if count == 1 else f"{count} of the places are"
        raise UsageError(f"{places} declared to stay out: see `sentinel unit keep-out list`")
