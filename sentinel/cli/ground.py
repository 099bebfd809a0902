"""Where an exercise takes place and what is lost there, in words for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sentinel.cli.output import print_note

MODES = {
    "user-namespace": "独立的用户与网络命名空间（普通用户即可）",
    "network-namespace": "独立的网络命名空间（root）",
    "loopback": "本机回环地址 127.77.0.0/16",
}
_LOSSES = {
    "low-ports": "1024 以下的端口（所有端口一律抬高，有的服务因此认不出版本）",
    "udp": "UDP 服务",
    "own-ipv6": "自己的 IPv6 地址（门户只用 ::1）",
    "ipv6": "IPv6（本机未启用）",
    "quiet-hosts": "沉默的主机和对所有端口应答的主机",
    "privacy": "与本机其他程序的隔离",
}
_SHOWN = 6


def tell_ground(mode: str, refused: str, losses: Iterable[str], foreign: Sequence[Sequence[object]]) -> None:
    """Say where the exercise takes place, why nowhere better, what is lost, and who else answers there."""
    print_note(f"演练网络：{MODES[mode]}。")
    if refused:
        print_note(f"  系统不允许建立命名空间（{refused}），退用回环地址。")
    lost = "；".join(_LOSSES[one] for one in losses)
    if lost:
        print_note(f"  因此缺少：{lost}。")
    if foreign:
        shown = "、".join(f"{port}/{proto}" for proto, port in foreign[:_SHOWN])
        more = " 等" if len(foreign) > _SHOWN else ""
        print_note(f"  本机自身有 {len(foreign)} 个通配监听（{shown}{more}），不属于演示学校，扫描时避开。")
