"""`backup` and `restore`: a home into one checked file, and a home out of one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import is_interactive, print_json, print_line, print_note
from sentinel.cli.session import DatabaseOption, JsonOption, choose_home, open_session, read_database, read_settings
from sentinel.errors import UsageError
from sentinel.model.moment import local_text, parse_moment

if TYPE_CHECKING:
    from sentinel.store.archive import Manifest

INCOMPLETE = 3
_TOLD_EVERY_S = 1.0
_STEPS = {
    "database": "复制数据库",
    "evidence": "核对证据",
    "write": "写入",
    "check": "回读核对",
    "restore": "解出",
}
_KEY_WORDS = {
    "nothing": "其中没有联系人或责任人。",
    "opens": "本机的联系人密钥能打开其中的联系人与责任人。",
    "other": "本机的联系人密钥不是原来那一把：联系人与责任人打不开，其余不受影响。",
    "none": "本机没有联系人密钥：联系人与责任人打不开，其余不受影响。",
    "unknown": "备份没有写明用的是哪一把联系人密钥；用 sentinel doctor 查看能否打开。",
}


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(
    out: Annotated[
        Path | None,
        typer.Option("--out", help="文件，或已有的文件夹；默认取设置 backup_dir，再默认当前文件夹", show_default=False),
    ] = None,
    keep: Annotated[
        int, typer.Option("--keep", help="该文件夹中只保留本目录最新的几份，0 为不删除", min=0, max=1000)
    ] = 0,
    reports: Annotated[bool, typer.Option("--reports", help="连同已生成的报告")] = False,
    check: Annotated[
        Path | None, typer.Option("--check", help="不备份，只核对一份已有的备份", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """备份数据目录到一个文件，扫描与导入可照常进行；不含联系人密钥。"""
    from sentinel.schedule.backing import back_up, check_file

    if check is not None:
        if out is not None or keep or reports:
            raise UsageError("--check: goes with no other option")
        manifest = check_file(check, build_progress())
        return _show(check, check.stat().st_size, manifest, as_json=as_json, done="核对无误")
    with open_session() as context:
        target = out or Path(context.settings.backup_dir or Path.cwd())
        if out is None and not target.is_dir():
            raise UsageError(f"{target}: no such folder (setting backup_dir); is its disk mounted?")
        if keep and not target.is_dir():
            raise UsageError(f"--keep: needs a folder, and {target} is none")
        made = back_up(context, target, build_progress(), keep=keep, reports=reports)
    for folder in made.outside:
        print_note(f"sentinel: {folder}: own rules outside the home are not in the backup; keep them separately")
    return _show(made.file, made.size_bytes, made.manifest, as_json=as_json, done="已备份", removed=len(made.removed))


def restore(
    file: Annotated[Path, typer.Argument(help="sentinel backup 写出的文件")],
    database: DatabaseOption = "",
    as_json: JsonOption = False,
) -> None:
    """从备份恢复到一个新的或空的数据目录（--home）；从不覆盖已有的。"""
    from sentinel.config import load_settings
    from sentinel.schedule.backing import judge_key, restore_file

    home = choose_home()
    own = replace(load_settings(None), database=read_database(database))
    restored = restore_file(file, home, own, build_progress())
    settings = read_settings(home)
    key = judge_key(restored, settings)
    if as_json:
        words = _words(file, file.stat().st_size, restored.manifest)
        print_json({"home": str(home), **words, "upgraded_from": restored.upgraded_from or None, "contacts": key})
        return
    made = local_text(parse_moment(restored.manifest.made_at))
    print_line(f"已恢复到 {home}：{made} 的备份，{_counts(restored.manifest)}，审计链无误。")
    if restored.upgraded_from:
        print_line(f"数据库结构已由 {restored.upgraded_from} 升级。")
    print_line(_KEY_WORDS[key])
    if key in {"other", "none", "unknown"}:
        print_line("需要时，从原机另行复制 contact.key（权限 0600），见 docs/commands.md“备份与恢复”。")
    for folder in settings.rules:
        if not Path(folder).is_dir():
            print_line(f"自有规则文件夹 {folder} 不在本机：更正 {home / 'sentinel.toml'} 中的 rules。")
    print_line(f"下一步：sentinel --home {home} doctor")


def build_progress() -> Callable[[str, int, int], None]:
    """Give what draws a step's progress, about once a second, on a terminal only."""
    if not is_interactive():
        return lambda *_: None
    last = [time.monotonic()]

    def tell(step: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - last[0] >= _TOLD_EVERY_S:
            last[0] = now
            print_note(f"{_STEPS[step]} {100 * done // max(1, total)} %")

    return tell


def _show(file: Path, size: int, manifest: Manifest, *, as_json: bool, done: str, removed: int = 0) -> int:
    if as_json:
        print_json({**_words(file, size, manifest), "removed": removed})
    else:
        made = local_text(parse_moment(manifest.made_at))
        print_line(f"{done}：{file}")
        print_line(f"{size / (1 << 20):.1f} MiB，{made} 的状态，{_counts(manifest)}，每个文件的哈希与审计链均已核对。")
        if removed:
            print_line(f"已删除较旧的 {removed} 份。")
        print_line("联系人密钥不在其中，请另行保存。下一步：sentinel restore 文件 --home 新目录")
    for sha in manifest.missing:
        print_note(f"sentinel: evidence {sha} is lost or damaged in the home; the backup is without it")
    return INCOMPLETE if manifest.missing else 0


def _counts(manifest: Manifest) -> str:
    counts = dict(manifest.counts)
    blobs = sum(one.name.startswith("var/evidence/") for one in manifest.members)
    ports = counts.get("endpoint_interval", counts.get("endpoint", 0))  # earlier backups have one table of both
    return f"单位 {len(manifest.units)}，端口记录 {ports}，证据 {blobs} 份"


def _words(file: Path, size: int, manifest: Manifest) -> dict[str, object]:
    return {
        "file": str(file),
        "size_bytes": size,
        "made_at": manifest.made_at,
        "sentinel": manifest.sentinel,
        "schema": manifest.schema,
        "units": [code for code, _ in manifest.units],
        "counts": dict(manifest.counts),
        "evidence": sum(one.name.startswith("var/evidence/") for one in manifest.members),
        "missing": list(manifest.missing),
        "audit_rows": manifest.audit_rows,
        "audit_head": manifest.audit_head,
        "key_id": manifest.key_id or None,
    }
