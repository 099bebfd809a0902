"""`purge`: what is older than the retention policy keeps, counted first, deleted when asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_table, trial_words
from sentinel.cli.session import JsonOption, open_session
from sentinel.model.moment import local_date

if TYPE_CHECKING:
    from sentinel.schedule.purging import Purged


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("purge")(purge)


def purge(
    apply: Annotated[bool, typer.Option("--apply", help="正式删除；不写为试运行，只列出将删除多少")] = False,
    kind: Annotated[str | None, typer.Option("--kind", help="只管一类，如 nat", show_default=False)] = None,
    as_json: JsonOption = False,
) -> None:
    """按保留期限删除到期的数据；默认只列出，不删除。证据与审计从不删除。"""
    from sentinel.schedule.purging import purge as purge_data

    with open_session() as context:
        found = purge_data(context, kind, apply=apply)
    if as_json:
        for one in found:
            print_json(_words(one, applied=apply))
        return
    print_table(
        "已删除到期的数据" if apply else "到期的数据",
        ("种类", "是什么", "保留", "早于", "最早", "已删除>" if apply else "将删除>"),
        [
            (
                one.policy.kind,
                one.policy.title,
                "长期" if one.policy.days is None else f"{one.policy.days} 天",
                local_date(one.before),
                local_date(one.oldest),
                "—" if one.count is None else one.count,
            )
            for one in found
        ],
    )
    if any(one.count for one in found):
        print_line("此前的备份里还有这些数据；备份到期也应销毁。" if apply else "删除记入审计，不能撤销。")
    if not apply:
        print_line(trial_words("sentinel purge --apply"))


def _words(one: Purged, *, applied: bool) -> dict[str, object]:
    return {
        "kind": one.policy.kind,
        "title": one.policy.title,
        "days": one.policy.days,
        "least_days": one.policy.least_days,
        "person": one.policy.person,
        "source": one.policy.source,
        "valid_from": one.policy.valid_from.isoformat(),
        "before": one.before,
        "oldest": one.oldest,
        "count": one.count,
        "applied": applied and one.count is not None,
    }
