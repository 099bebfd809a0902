"""An open home in; what living with it needs (key, backups, room, arrivals, service) out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from sentinel.errors import StoreError
from sentinel.model.moment import local_text
from sentinel.schedule.backing import read_newest_backup
from sentinel.schedule.checkup.checked import Checked
from sentinel.schedule.context import Context
from sentinel.schedule.keeping import MIB
from sentinel.schedule.service.install import read_states
from sentinel.schedule.service.systemctl import Systemctl
from sentinel.schedule.silence import CHANNEL_WORDS, read_silence
from sentinel.store.declared import has_unopened
from sentinel.store.evidence_budget import HeldBy, read_holdings
from sentinel.store.restore import sealed_rows
from sentinel.store.units import read_plans, read_units

_OLD_BACKUP = timedelta(days=2)
_NAMED = 3


def examine_upkeep(context: Context) -> Iterator[Checked]:
    """Look at what keeps a home alive over the years."""
    yield _key(context)
    yield _backup(context)
    yield _budget(context)
    yield _silence(context)
    yield _service(context)


def _key(context: Context) -> Checked:
    sealed = sealed_rows(context.database)
    path = context.key_file
    try:
        seal = context.load_seal()
    except StoreError as error:
        return Checked("联系人密钥", "missing", f"{error}；联系人与责任人打不开", f"chmod 600 {path}，或从原机另行复制")
    if seal is None:
        if not sealed:
            return Checked("联系人密钥", "ok", "尚无联系人，用到时自动建立")
        return Checked(
            "联系人密钥",
            "missing",
            f"{path} 不在，{sealed} 条联系人或责任人打不开，其余不受影响",
            f"从原机复制 contact.key 到 {path}，再 chmod 600",
        )
    if has_unopened(context.database, seal):
        words = f"密钥 {seal.id[:8]} 与数据不符，有联系人或责任人打不开"
        return Checked("联系人密钥", "missing", words, f"从原机复制 contact.key 到 {path}")
    return Checked("联系人密钥", "ok", f"{seal.id[:8]}，权限无误；不在备份中，请另行保存一份")


def _backup(context: Context) -> Checked:
    folder = context.settings.backup_dir
    if not folder:
        return Checked(
            "备份",
            "limited",
            "未设置每日备份；磁盘坏了就什么都没有",
            "sentinel setting set backup_dir 文件夹",
        )
    if not Path(folder).is_dir():
        return Checked(
            "备份", "limited", f"{folder} 不在，每日备份做不成；磁盘没有挂载？", f"挂载磁盘，或 mkdir -p {folder}"
        )
    newest = read_newest_backup(context, Path(folder))
    if newest is None:
        return Checked("备份", "limited", f"{folder} 中还没有备份", f"sentinel backup --out {folder}")
    age = context.clock() - newest
    words = f"最近一份 {local_text(newest)}，在 {folder}"
    if age > _OLD_BACKUP:
        step = f"sentinel backup --out {folder}；并查看 sentinel run 的日志"
        return Checked("备份", "limited", f"{words}，已 {age.days} 天；此后的结果会丢失", step)
    return Checked("备份", "ok", words)


def _budget(context: Context) -> Checked:
    holdings = [one for one in read_holdings(context.database, context.evidence) if one.pruned_at is None]
    total = sum(one.disk_bytes for one in holdings) / MIB
    budget = context.settings.evidence_budget_mib
    if not budget:
        return Checked("证据预算", "ok", f"{len(holdings)} 份，{total:.1f} MiB；未设预算")
    words = f"{len(holdings)} 份，{total:.1f} MiB，预算 {budget} MiB"
    if total <= budget:
        return Checked("证据预算", "ok", words)
    if any(one.held_by is HeldBy.NOTHING for one in holdings):
        return Checked("证据预算", "limited", f"{words}，已超出", "sentinel evidence prune")
    return Checked(
        "证据预算",
        "limited",
        f"{words}，已超出；余下的都是作为依据的证据，不会清除",
        f"sentinel setting set evidence_budget_mib {2 * budget}，或换更大的磁盘",
    )


def _silence(context: Context) -> Checked:
    now = context.clock()
    rows = [(unit, one) for unit in read_units(context.database) for one in read_silence(context, unit, now)]
    silent = [(unit, one) for unit, one in rows if one.is_silent]
    if silent:
        told = "；".join(f"{unit.name}的{CHANNEL_WORDS[one.channel]}已 {one.days} 天" for unit, one in silent[:_NAMED])
        more = f"等 {len(silent)} 处" if len(silent) > _NAMED else ""
        return Checked(
            "数据到来",
            "limited",
            f"{told}{more}没有新数据；地图与结论停在那一天",
            "查看采集是否停了：sentinel service status；采集本就这么稀的：sentinel setting set silent_days 天数",
        )
    ever = {one.channel for _, one in rows if one.last is not None}
    never = sorted(words for channel, words in CHANNEL_WORDS.items() if channel not in ever)
    came = [one.last for _, one in rows if one.last is not None]
    words = f"最近一次 {local_text(max(came))}" if came else "尚无数据"
    return Checked("数据到来", "ok", f"{words}；从未有过：{'、'.join(never)}" if never and came else words)


def _service(context: Context) -> Checked:
    states = read_states(context, (Systemctl(system=True), Systemctl(system=False)), context.clock())
    runs = next(one for one in states if one.name == "sentinel-run.service")
    planned = any(plan.enabled for plan in read_plans(context.database))
    if runs.file is None:
        return Checked("服务", "limited", "未安装；关机重启后不会自动巡检", "sentinel service install")
    if not runs.here:
        return Checked("服务", "limited", f"{runs.file} 指向另一个数据目录；本目录不会自动巡检", "sentinel run")
    if runs.active != "active":
        words = f"已安装，现为 {runs.active or '未知（systemd 不应答）'}；不会按时巡检"
        return Checked("服务", "limited", words, f"systemctl {'' if runs.system else '--user '}restart {runs.name}")
    if not planned:
        return Checked("服务", "limited", "正在运行，但没有巡检时间", "sentinel unit plan --at 02:30")
    return Checked("服务", "ok", f"正在运行，下次巡检 {local_text(runs.next_due)}")
