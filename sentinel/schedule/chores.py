"""What `run` does once a day for the home as a whole: a backup, the evidence budget, a look at what went silent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sentinel.errors import SentinelError, StoreError
from sentinel.log import error, info, warning
from sentinel.model.moment import SHANGHAI, local_text
from sentinel.schedule.backing import FRESH, back_up, read_newest_backup
from sentinel.schedule.context import Context
from sentinel.schedule.keeping import MIB, prune_evidence
from sentinel.schedule.silence import read_silence
from sentinel.store.units import read_units


def run_chores(context: Context, tell: Callable[[str], None]) -> bool:
    """Do each chore; one that fails leaves its reason and the others are done. False: one failed."""
    tell_silence(context)
    done = [_attempt(chore, context, tell) for chore in (keep_budget, back_up_daily)]
    return all(done)


def _attempt(
    chore: Callable[[Context, Callable[[str], None]], None], context: Context, tell: Callable[[str], None]
) -> bool:
    try:
        chore(context, tell)
    except SentinelError as failure:
        error("chore lost", chore=chore.__name__, reason=failure)
        return False
    return True


def tell_silence(context: Context) -> None:
    """Warn of each channel of each unit by which something used to arrive and no longer does."""
    now = context.clock()
    for unit in read_units(context.database):
        for one in read_silence(context, unit, now):
            if one.is_silent:
                warning(
                    "nothing arrived",
                    unit=unit.code,
                    channel=one.channel.value,
                    days=one.days,
                    last=local_text(one.last),
                )


def keep_budget(context: Context, tell: Callable[[str], None]) -> None:
    """Clear evidence nothing refers to, if the settings give a budget."""
    budget = context.settings.evidence_budget_mib
    if not budget:
        return
    pruning = prune_evidence(context, budget)
    info("evidence kept", blobs=len(pruning.chosen), free_mib=pruning.free_bytes // MIB)
    if pruning.chosen:
        tell(f"证据：按预算清除 {len(pruning.chosen)} 份，腾出 {pruning.free_bytes / MIB:.1f} MiB")
    if pruning.over_bytes:
        warning("evidence over budget", kept_mib=pruning.kept_bytes // MIB, budget_mib=budget, see="evidence list")


def back_up_daily(context: Context, tell: Callable[[str], None]) -> None:
    """Write today's backup, if the settings name a folder and there is none yet.

    Raises:
        StoreError: the folder is not there, or it cannot be written.
        UsageError: the folder lies inside the home.
    """
    if not context.settings.backup_dir:
        return
    folder = Path(context.settings.backup_dir)
    if not folder.is_dir():
        raise StoreError(f"{folder}: no such folder (setting backup_dir); is its disk mounted?")
    newest = read_newest_backup(context, folder)
    if newest is not None and context.clock() - newest < FRESH:
        return
    made = back_up(context, folder, lambda *_: None, keep=context.settings.backup_keep)
    missing = len(made.manifest.missing)
    info("backup done", file=made.file, mib=made.size_bytes // MIB, removed=len(made.removed), missing=missing)
    if missing:
        warning("backup lacks evidence that is lost or damaged", file=made.file, missing=missing)
    tell(f"备份：{made.file}（{made.size_bytes / MIB:.1f} MiB，{context.clock().astimezone(SHANGHAI):%H:%M}）")
