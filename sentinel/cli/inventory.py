"""`map` and `diff`: the asset map at a moment, and what changed between two."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel.cli.output import print_json, print_line, print_table
from sentinel.cli.session import JsonOption, UnitOption, open_session, read_time
from sentinel.errors import UsageError
from sentinel.model.moment import local_text

if TYPE_CHECKING:
    from datetime import datetime

    from sentinel.inventory.publications import Published
    from sentinel.model.endpoint import Change, MapRow
    from sentinel.model.unit import Unit
    from sentinel.schedule.context import Context


def register(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command("map")(show_map)
    app.command("diff")(show_diff)


def show_map(
    at: Annotated[
        str | None, typer.Option("--at", help="时刻，默认现在；只写日期为当日终了", show_default=False)
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option("--export", help="写成文件，以 .json、.csv 或 .xlsx 结尾，三种列相同", show_default=False),
    ] = None,
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """网络空间资产地图：每个开放端口一行；--export 写成文件。"""
    from sentinel.schedule.publishing import read_published
    from sentinel.schedule.reading import read_map

    moment = read_time(at, "--at") if at else None
    if export is not None:
        _export(export, unit, moment, as_json=as_json)
        return
    with open_session() as context:
        units = _all_units(context) if unit is None else [context.choose_unit(unit)]
        rows = [row for one in units for row in read_map(context, one, moment)]
        published = {one.code: read_published(context, one, moment or context.clock()) for one in units}
    if as_json:
        for row in rows:
            print_json(build_row(row) | {"publications": _ways(row, published[row.unit])})
        return
    joined = any(published.values())
    print_table(
        f"资产地图（{local_text(moment) if moment else '现在'}）",
        ("单位", "网络", "地址", "端口", "服务", "产品", "最后确认", *(("公网映射",) if joined else ())),
        [
            (
                row.unit,
                row.network,
                row.endpoint.key.address,
                f"{row.endpoint.key.port}/{row.endpoint.key.proto}",
                _service(row),
                f"{row.endpoint.fingerprint.product} {row.endpoint.fingerprint.version}".strip(),
                local_text(row.endpoint.last_confirmed),
                *(("、".join(one.text for one in published[row.unit].ways_of(row)),) if joined else ()),
            )
            for row in rows
        ],
        "sentinel report map --out 地图.html；sentinel map --export 地图.xlsx",
        empty="sentinel import FILE；sentinel scan 目标",
    )


def _export(path: Path, unit: str | None, moment: datetime | None, *, as_json: bool) -> None:
    from sentinel.schedule.exporting import export_map

    with open_session() as context:
        units = _all_units(context) if unit is None else [context.choose_unit(unit)]
        done = export_map(context, units, path, moment)
    if as_json:
        print_json({"file": str(done.path), "rows": done.rows, "bytes": done.size_bytes, "at": moment})
        return
    when = local_text(moment) if moment else "现在"
    print_line(f"已写入 {done.path}（{done.size_bytes / 1024:,.0f} kB）：开放端口 {done.rows:,} 个，{when}。")


def show_diff(
    start: Annotated[str, typer.Option("--from", help="起点时刻；只写日期为当日终了")],
    end: Annotated[str, typer.Option("--to", help="终点时刻；只写日期为当日终了")],
    unit: UnitOption = None,
    as_json: JsonOption = False,
) -> None:
    """变化对比：新增、消失、变化、首次覆盖、不明。"""
    from sentinel.schedule.reading import read_diff

    first, last = read_time(start, "--from"), read_time(end, "--to")
    if last < first:
        raise UsageError("--to: lies before --from")
    with open_session() as context:
        units = _all_units(context) if unit is None else [context.choose_unit(unit)]
        changes = [change for one in units for change in read_diff(context, one, first, last)]
    if as_json:
        for change in changes:
            before = change.before
            was = {"service": before.service, "product": before.product, "version": before.version} if before else None
            print_json({"change": change.kind, "at": change.at, **build_row(change.row), "before": was})
        return
    words = {"new": "新增", "gone": "消失", "changed": "变化", "newly_covered": "首次覆盖", "unknown": "不明"}
    print_table(
        f"变化对比（{local_text(first)} 至 {local_text(last)}）",
        ("变化", "地址", "端口", "服务", "产品", "时间"),
        [
            (
                words[change.kind],
                change.row.endpoint.key.address,
                f"{change.row.endpoint.key.port}/{change.row.endpoint.key.proto}",
                _service(change.row),
                _became(change),
                local_text(change.at),
            )
            for change in changes
        ],
        "sentinel finding list",
    )


def build_row(row: MapRow) -> dict[str, object]:
    """Write a map row as plain values, for JSON."""
    endpoint = row.endpoint
    key, mark = endpoint.key, endpoint.fingerprint
    return {
        "unit": row.unit,
        "network": row.network,
        "zone": row.zone,
        "vantage": key.vantage,
        "address": str(key.address),
        "proto": key.proto,
        "port": key.port,
        "service": mark.service,
        "product": mark.product,
        "version": mark.version,
        "names": list(row.names),
        "state": endpoint.state,
        "valid_from": endpoint.valid_from,
        "last_confirmed": endpoint.last_confirmed,
        "tunnel": mark.tunnel,
        "guessed": mark.guessed,
        "title": endpoint.title,
        "certificate": mark.certificate,
        "cpes": list(endpoint.cpes),
        "in_scope": endpoint.in_scope,
        "evidence": endpoint.evidence,
    }


def _ways(row: MapRow, published: Published) -> list[dict[str, object]]:
    """Write the other ends of a row's publications as plain values, for JSON."""
    return [
        {
            "id": one.publication,
            "address": str(one.address) if one.address is not None else None,
            "port": one.port,
            "proto": one.proto,
            "name": one.name,
            "via": one.via,
        }
        for one in published.ways_of(row)
    ]


def _became(change: Change) -> str:
    """Write the product, and what was there before when that is the change."""
    mark, before = change.row.endpoint.fingerprint, change.before
    words = f"{mark.product} {mark.version}".strip()
    if before is None:
        return words
    was = " ".join(
        part
        for part in (before.service if before.service != mark.service else "", before.product, before.version)
        if part
    )
    return f"{words}（原为 {was}）" if was and was != words else words


def _service(row: MapRow) -> str:
    mark = row.endpoint.fingerprint
    name = f"{mark.service}{'?' if mark.guessed else ''}"
    return f"{name} (TLS)" if mark.tunnel else name


def _all_units(context: Context) -> list[Unit]:
    from sentinel.store.units import read_units

    return list(read_units(context.database))
