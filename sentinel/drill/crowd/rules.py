"""A crowd in; the packet filter and the routes that make one kernel answer for all its hosts out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from sentinel.drill.crowd.plan import Crowd
from sentinel.drill.crowd.population import TARPIT_BACKEND, Closed

SCANNER_SIDE, SCHOOL_SIDE = "crowd0", "school0"
SCANNER_MAC, ROUTER_MAC = "02:53:45:4e:00:01", "02:53:45:4e:00:02"
_MILLION = 1_000_000
_PORTION = 1000


def filter_rules(crowd: Crowd, places: Mapping[str, int], loss: float) -> tuple[str, ...]:
    """Write the school's packet filter as nftables files, to be loaded in this order.

    `places` maps each backend to its port on the router's address. `loss` is the share of packets dropped, 0 to 1, each
    way; ARP is never lost. Everything but open ports is kept from connection tracking.
    """
    hosts = crowd.hosts
    ports = [(f"{host.address} . {one.port}", places[one.backend]) for host in hosts for one in host.ports]
    resets = (host.address for host in hosts if host.closed is Closed.RST and not host.is_tarpit)
    known = [host.address for host in hosts] + ([crowd.router] if crowd.is_routed else [])
    tarpit = f"ip daddr @tarpits meta l4proto tcp redirect to :{places[TARPIT_BACKEND]}" if crowd.tarpits else ""
    return (
        _chains(f"numgen random mod {_MILLION} < {round(loss * _MILLION)} drop" if loss else "", tarpit),
        *_elements("arp crowd known", map(str, known)),
        *_elements("ip crowd resets", map(str, resets)),
        *_elements("ip crowd pings", (str(host.address) for host in hosts if host.answers_ping)),
        *_elements("ip crowd tarpits", map(str, crowd.tarpits)),
        *_elements("ip crowd open", (place for place, _ in ports)),
        *_elements("ip crowd backends", (f"{place} : {port}" for place, port in ports)),
    )


def _elements(name: str, elements: Iterable[str]) -> Iterator[str]:
    """Fill a set by portions: outside of the first user namespace a netlink message has at most about 200 KB."""
    rest = iter(elements)
    while portion := tuple(islice(rest, _PORTION)):
        yield f"add element {name} {{\n" + ",\n".join(portion) + "\n}\n"


def _chains(lose: str, tarpit: str) -> str:
    return f"""table arp crowd {{
set known {{ type ipv4_addr; }}
chain input {{
 type filter hook input priority 0; policy accept;
 arp operation request arp daddr ip != @known drop
}}
}}
table ip crowd {{
set open {{ type ipv4_addr . inet_service; }}
set resets {{ type ipv4_addr; }}
set pings {{ type ipv4_addr; }}
set tarpits {{ type ipv4_addr; }}
map backends {{ type ipv4_addr . inet_service : inet_service; }}
chain early {{
 type filter hook prerouting priority raw; policy drop;
 iifname != "{SCHOOL_SIDE}" accept
 {lose}
 ip daddr . tcp dport @open accept
 ip daddr @resets meta l4proto tcp reject with tcp reset
 ip daddr @tarpits meta l4proto tcp accept
 ip daddr @pings icmp type echo-request notrack accept
}}
chain places {{
 type nat hook prerouting priority dstnat; policy accept;
 meta l4proto tcp redirect to :ip daddr . tcp dport map @backends
 {tarpit}
}}
chain late {{
 type filter hook output priority raw; policy accept;
 oifname != "{SCHOOL_SIDE}" accept
 {lose}
 ip saddr @resets tcp flags == rst | ack notrack
}}
}}
"""


def school_links(crowd: Crowd, peer: str, neighbour: int) -> tuple[str, ...]:
    """List the `ip` commands of the school's namespace; the other end, `peer`, goes to process `neighbour`."""
    end = f" address {SCANNER_MAC}" if peer == SCANNER_SIDE else ""
    return (
        f"link add {SCHOOL_SIDE} address {ROUTER_MAC} type veth peer name {peer}{end} netns {neighbour}",
        "link set lo up",
        f"address add {crowd.router}/32 dev {SCHOOL_SIDE}",
        f"link set {SCHOOL_SIDE} up",
        f"route add local {crowd.base} dev lo",
        # The local table is asked first, so the scanner must stand in it too, or the school would take it for its own.
        f"route add {crowd.scanner}/32 dev {SCHOOL_SIDE} table local",
        f"neighbour replace {crowd.scanner} lladdr {SCANNER_MAC} dev {SCHOOL_SIDE} nud permanent",
    )


def scanner_links(crowd: Crowd) -> tuple[str, ...]:
    """List the `ip` commands of the scanner's namespace."""
    if not crowd.is_routed:
        return (
            f"address add {crowd.scanner}/{crowd.base.prefixlen} dev {SCANNER_SIDE}",
            f"link set {SCANNER_SIDE} up",
        )
    return (
        f"address add {crowd.scanner}/32 dev {SCANNER_SIDE}",
        f"link set {SCANNER_SIDE} up",
        f"route add {crowd.router}/32 dev {SCANNER_SIDE}",
        f"neighbour replace {crowd.router} lladdr {ROUTER_MAC} dev {SCANNER_SIDE} nud permanent",
        f"route add {crowd.base} via {crowd.router} dev {SCANNER_SIDE}",
    )


def forwarder_links(inside: str, scanner_process: int) -> tuple[str, ...]:
    """List the `ip` commands of the namespace between: its end towards the scanner is called `inside`."""
    return (
        f"link add {inside} type veth peer name {SCANNER_SIDE} address {SCANNER_MAC} netns {scanner_process}",
        f"link set {inside} up",
    )
