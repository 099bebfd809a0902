"""The sentences the map's pictures are worded with: (Chinese, English) by key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MAP_SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    # key figures
    "key_segments": ("有主机的网段", "Segments with hosts"),
    "key_domains": ("域名", "Domain names"),
    "key_certificates": ("证书", "Certificates"),
    "key_units": ("单位", "Units"),
    "note_segments": ("IPv4 按 /24，IPv6 按 /64", "IPv4 by /24, IPv6 by /64"),
    "note_uses": ("用途 {n} 类，未识别 {unknown}", "uses: {n}; not identified: {unknown}"),
    "note_units_tree": ("各级合计", "of all levels"),
    "note_faulty": ("有问题 {n}", "with a fault: {n}"),
    "note_domains": ("指向 {n} 台主机", "of {n} hosts"),
    # the grid
    "grid_rest": ("其余 {n} 个网段", "{n} more segments"),
    "grid_hosts": ("主机", "Hosts"),
    "grid_ports": ("端口", "Ports"),
    "grid_segment": ("网段", "Segment"),
    "alt_grid": (
        "网段与用途：{segments} 个网段，{uses} 类用途，开放端口 {ports} 个，有严重或高危隐患的格子 {worst} 个",
        "Segments by use: segments {segments}, uses {uses}, open ports {ports}, cells with grave findings {worst}",
    ),
    "alt_grid_rows": ("网段与用途，自 {first} 起 {n} 行", "Segments by use, {n} rows from {first}"),
    "alt_grid_part": ("{network} {block}：{use} {n}", "{network} {block}: {use} {n}"),
    # the graph
    "graph_domains": ("域名", "Domain names"),
    "graph_hosts": ("主机", "Hosts"),
    "graph_ports": ("端口和服务", "Ports and services"),
    "graph_certificates": ("证书（到期日）", "Certificates (until)"),
    "graph_many": ("{first} 等 {n} 台", "{first} … ({n} hosts)"),
    "graph_system": ("系统 {name}", "System {name}"),
    "graph_network": ("网段 {name}（{zone}）", "Network {name} ({zone})"),
    "graph_part": ("{name}（{part}/{parts}）", "{name} ({part}/{parts})"),
    "graph_everything": ("对所有端口应答", "answers on every port"),
    "graph_more_ports": ("其余端口", "further ports"),
    "graph_count": ("{n} 台", "{n} hosts"),
    "graph_none": ("未见", "none seen"),
    "alt_graph": (
        "域名、主机、端口、证书关系图：主机 {hosts} 台，域名 {domains} 个，端口 {ports} 种，证书 {certificates} 张",
        "Names, hosts, ports, certificates: hosts {hosts}, names {domains}, ports {ports}, certificates {certificates}",
    ),
    # the tree
    "tree_live": (
        "数据截至 {moment}，未冻结：没有本期冻结的统计，按现有结果合计；sentinel snapshot freeze 冻结后不再变动。",
        "As of {moment}, not frozen: nothing is frozen for the period, so this sums what is there now and may change.",
    ),
    "tree_frozen": (
        "数据为 {label} 一期冻结的统计（{first} 至 {last}，第 {version} 版），其后的变化不在内；",
        "Frozen counters of {label} ({first} to {last}, version {version}); later changes are not in them; ",
    ),
    "tree_frozen_at": ("冻结于 {moment}。", "frozen at {moment}."),
    "tree_rest": ("其余 {n} 个单位", "{n} more units"),
    "tree_units": ("单位", "Unit"),
    "tree_reported": ("已报/应报", "Reported"),
    "tree_hosts": ("主机（台）", "Hosts"),
    "tree_ports": ("端口（个）", "Ports"),
    "tree_findings": ("待处理隐患（个）", "Live findings"),
    "tree_coverage": ("覆盖率", "Coverage"),
    "alt_tree": (
        "单位树：单位 {units} 个，已上报 {part} / {whole}，主机 {hosts} 台，端口 {ports} 个，待处理隐患 {findings} 个",
        "Tree: units {units}, reported {part} of {whole}, hosts {hosts}, ports {ports}, live findings {findings}",
    ),
    "alt_tree_rows": ("单位树，自 {first} 起 {n} 行", "Tree of units, {n} rows from {first}"),
    "tree_mining": ("矿 {n}", "mining {n}"),
    "tree_silent": ("从未上报，未核查", "never reported, not checked"),
}
