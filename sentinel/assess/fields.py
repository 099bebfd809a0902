"""The fields rules may ask for, by category: the table the checker reads and the documentation shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address
from types import MappingProxyType

from sentinel.assess.field import Field as Field
from sentinel.assess.field import Kind as Kind
from sentinel.assess.fields_service import SERVICE_LOOK_FIELDS
from sentinel.assess.fields_tls import TLS_FIELDS
from sentinel.assess.fields_web import DNS_FIELDS, WEB_FIELDS
from sentinel.model.rule import Category, FieldValue, Scalar

_ADDRESS = Field(Kind.ADDRESS, "地址", "address")
_PORT = Field(Kind.NUMBER, "端口号", "port number")
_PROTO = Field(Kind.TEXT, "传输协议：tcp、udp、sctp", "transport: tcp, udp, sctp")
_ZONE = Field(
    Kind.TEXT, "网络区域：server、office、dormitory、wireless、iot、exam、dmz、unknown", "zone of the network"
)
_VANTAGE = Field(Kind.TEXT, "探测位置，如 inside、outside", "from where it was seen, e.g. inside, outside")
_NAMES = Field(Kind.TEXT, "该地址已知的域名或主机名", "names known for the address", many=True)
_IN_SCOPE = Field(Kind.FLAG, "地址在本单位登记的网段内", "a declared network of the unit holds the address")
_INTERNET = Field(
    Kind.FLAG,
    "公网地址，或从校外（outside）探测到",
    "the address is global, or it was seen from outside",
)
_WHITELIST = Field(
    Kind.TEXT,
    "白名单结论：listed 已登记、denied 明令不放行、unlisted 未登记、mismatch 服务不符、none 本单位没有这类有效条目",
    "whitelist verdict: listed, denied, unlisted, mismatch, none (the unit has no valid entry of this kind)",
)

_AGE = Field(Kind.NUMBER, "距上次查看的天数", "days since the newest look")
_ASKED = Field(Kind.TEXT, "查看时使用的域名", "name it was asked by")
_LOOKED: Mapping[str, Field] = {
    "address": _ADDRESS,
    "port": _PORT,
    "proto": _PROTO,
    "zone": _ZONE,
    "vantage": _VANTAGE,
    "internet": _INTERNET,
    "asked_name": _ASKED,
    "look_age_days": _AGE,
}
"""Fields of every closer look at a service."""


class OpenFields(Mapping[str, Field]):
    """Fields of foreign logs: those given are documented, any other may be asked for as well."""

    def __init__(self, known: Mapping[str, Field]) -> None:
        self._known = known

    def __getitem__(self, name: str) -> Field:
        return self._known.get(name) or Field(Kind.ANY, name, name, many=True)

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


FIELDS: Mapping[Category, Mapping[str, Field]] = MappingProxyType(
    {
        Category.SERVICE: {
            "address": _ADDRESS,
            "port": _PORT,
            "proto": _PROTO,
            "service": Field(
                Kind.TEXT, "服务协议名，如 http、redis；未知则无此字段", "protocol name, absent if unknown"
            ),
            "guessed": Field(
                Kind.FLAG,
                "服务名只是按端口号推测，并未识别",
                "the service name only follows from the port number",
            ),
            "product": Field(Kind.TEXT, "产品名，如 OpenSSH", "product name, e.g. OpenSSH"),
            "version": Field(Kind.TEXT, "产品版本，如 7.4", "product version, e.g. 7.4"),
            "tunnel": Field(Kind.TEXT, "ssl 表示在 TLS 内", "ssl when it speaks inside TLS"),
            "title": Field(Kind.TEXT, "首页标题", "title of the page at /"),
            "banner": Field(Kind.TEXT, "识别工具给出的附加信息", "further words of the detector"),
            "cpe": Field(Kind.TEXT, "CPE 名称", "CPE names", many=True),
            "zone": _ZONE,
            "vantage": _VANTAGE,
            "names": _NAMES,
            "in_scope": _IN_SCOPE,
            "internet": _INTERNET,
            "whitelist": _WHITELIST,
            "open_days": Field(Kind.NUMBER, "已连续开放的天数", "days since it opened"),
            **SERVICE_LOOK_FIELDS,
        },
        Category.CERTIFICATE: {
            "address": _ADDRESS,
            "port": _PORT,
            "proto": _PROTO,
            "zone": _ZONE,
            "vantage": _VANTAGE,
            "internet": _INTERNET,
            "days_left": Field(Kind.NUMBER, "距到期的整天数，过期为负", "whole days to expiry, negative when past"),
            "expired": Field(Kind.FLAG, "已过期", "expired"),
            "not_yet_valid": Field(Kind.FLAG, "尚未生效", "not yet valid"),
            "days_valid": Field(Kind.NUMBER, "有效期总天数", "length of validity in days"),
            "key_type": Field(Kind.TEXT, "公钥算法：rsa、ec、ed25519、dsa、sm2", "key type"),
            "key_bits": Field(Kind.NUMBER, "公钥位数", "key length in bits"),
            "signature": Field(Kind.TEXT, "签名算法，如 sha256WithRSAEncryption", "signature algorithm"),
            "self_signed": Field(Kind.FLAG, "自签名", "issuer equals subject"),
            "subject": Field(Kind.TEXT, "使用者", "subject"),
            "issuer": Field(Kind.TEXT, "颁发者", "issuer"),
            "names": Field(Kind.TEXT, "证书覆盖的域名和地址", "names the certificate covers", many=True),
            "host_names": _NAMES,
            "name_mismatch": Field(
                Kind.FLAG,
                "该地址的已知域名均不在证书内；无从判断时无此字段",
                "none of the known names is covered; absent when it cannot be told",
            ),
        },
        Category.HOST: {
            "address": _ADDRESS,
            "open_count": Field(Kind.NUMBER, "开放端口数", "number of open ports"),
            "answers_all": Field(
                Kind.FLAG,
                "对几乎所有被问端口应答而不说是什么（防火墙、负载均衡或蜜罐）；其端口不逐个评判",
                "it answers on whatever port it is asked; its ports are not judged one by one",
            ),
            "ports": Field(Kind.NUMBER, "开放的端口号", "open ports", many=True),
            "services": Field(Kind.TEXT, "已识别的服务名（不含推测）", "identified services, no guesses", many=True),
            "names": _NAMES,
            "os": Field(Kind.TEXT, "操作系统推测", "best guess of the operating system"),
            "mac_known": Field(Kind.FLAG, "已知其网卡地址", "its network card is known"),
            "zone": _ZONE,
            "vantage": Field(Kind.TEXT, "探测位置", "from where it was seen", many=True),
            "in_scope": _IN_SCOPE,
            "internet": _INTERNET,
            "whitelist": _WHITELIST,
        },
        Category.DOMAIN: {
            "name": Field(Kind.TEXT, "域名", "domain name"),
            "addresses": Field(Kind.ADDRESS, "它指向的地址", "addresses it points to", many=True),
            "ports": Field(Kind.NUMBER, "这些地址上的开放端口", "open ports of those addresses", many=True),
            "sources": Field(Kind.TEXT, "来源：map、dns、tls、certificate", "how it came to be known", many=True),
            "internet": _INTERNET,
            "whitelist": _WHITELIST,
        },
        Category.FLOW: {
            "host": Field(Kind.ADDRESS, "矿机一侧的地址", "address of the miner's side"),
            "host_port": Field(Kind.NUMBER, "矿机一侧的端口", "port of the miner's side"),
            "peer": Field(Kind.ADDRESS, "矿池、节点或解析服务器的地址", "address of the pool, node or resolver"),
            "peer_port": Field(Kind.NUMBER, "对端端口", "port of the peer"),
            "family": Field(Kind.TEXT, "协议族，如 stratum、ethproxy、cryptonote", "family, e.g. stratum"),
            "class": Field(Kind.TEXT, "类别：mining、suspect、node、name", "class: mining, suspect, node, name"),
            "certainty": Field(Kind.NUMBER, "把握，0 到 1", "certainty, 0 to 1"),
            "coin": Field(Kind.TEXT, "币种，如 XMR", "coin, e.g. XMR"),
            "name": Field(Kind.TEXT, "域名", "domain name"),
            "agent": Field(Kind.TEXT, "挖矿程序自报的名称", "miner software as it named itself"),
            "zone": _ZONE,
        },
        Category.TLS: {
            **_LOOKED,
            **TLS_FIELDS,
        },
        Category.WEB: {
            **_LOOKED,
            **WEB_FIELDS,
        },
        Category.DNS: {
            "asked_name": _ASKED,
            "look_age_days": _AGE,
            **DNS_FIELDS,
        },
        Category.LOG: OpenFields(
            {
                "log_source": Field(
                    Kind.TEXT, "日志种类，如 zeek.http；DNS 日志另有 dns", "kind of log, e.g. zeek.http", many=True
                ),
                "id.orig_h": Field(Kind.ANY, "发起方地址", "address of the originator"),
                "id.orig_p": Field(Kind.ANY, "发起方端口", "port of the originator"),
                "id.resp_h": Field(Kind.ANY, "应答方地址", "address of the responder"),
                "id.resp_p": Field(Kind.ANY, "应答方端口", "port of the responder"),
                "query": Field(Kind.ANY, "查询的域名（DNS）", "name asked for"),
                "record_type": Field(Kind.ANY, "查询的记录类型（DNS）", "record type asked for"),
                "answer": Field(Kind.ANY, "应答（DNS）", "answers", many=True),
            }
        ),
        Category.UNIT: {
            "has_whitelist": Field(Kind.FLAG, "有生效的白名单条目", "a whitelist entry is in force"),
            "scanned": Field(Kind.FLAG, "做过扫描或导入过扫描结果", "a scan was run or imported"),
            "last_scan_days": Field(Kind.NUMBER, "距最近一次扫描的天数", "days since the newest scan"),
            "networks": Field(Kind.NUMBER, "登记的网段数", "declared prefixes"),
            "endpoints": Field(Kind.NUMBER, "当前开放端口数", "open endpoints"),
        },
        Category.SYSTEM: {
            "name": Field(Kind.TEXT, "系统名称", "name of the system"),
            "state": Field(
                Kind.TEXT, "登记状态：draft、submitted、approved、returned", "where it stands in the register"
            ),
            "level": Field(Kind.NUMBER, "等保级别，1 到 5；未定级时没有", "level, 1 to 5; absent when it has none"),
            "confirm_overdue_days": Field(Kind.NUMBER, "逾期未确认的天数", "days since it was to be confirmed"),
            "filed": Field(Kind.FLAG, "有等保备案号", "it has a filing number"),
            "filing_days_left": Field(Kind.NUMBER, "备案证明剩余天数", "days until its certificate of filing ends"),
            "assessed_days": Field(Kind.NUMBER, "距最近一次测评的天数", "days since its newest assessment"),
            "days_left": Field(Kind.NUMBER, "距计划停用日的天数", "days until the day it is meant to run to"),
            "has_department": Field(Kind.FLAG, "有责任部门", "a department answers for it"),
        },
        Category.ENTRY: {
            "kind": Field(Kind.TEXT, "条目种类：domain、host、port", "kind of entry: domain, host, port"),
            "proto": _PROTO,
            "service": Field(Kind.TEXT, "条目规定的服务", "protocol the entry expects"),
            "in_force": Field(Kind.FLAG, "在有效期内", "in force"),
            "expired": Field(Kind.FLAG, "已过期", "past its last day"),
            "days_left": Field(Kind.NUMBER, "距到期的整天数，过期为负；长期条目无此字段", "whole days to its end"),
            "due_step": Field(
                Kind.NUMBER,
                "到期提醒档次：不超过 7、14、30 天；更久的无此字段",
                "step of warning: at most 7, 14 or 30 days",
            ),
            "renewed": Field(Kind.FLAG, "另有更长的同样条目", "another entry allows the same for longer"),
            "open_count": Field(Kind.NUMBER, "条目范围内开放的端口数", "open endpoints it covers"),
            "unexcused_count": Field(
                Kind.NUMBER, "其中没有别的有效条目放行的", "of them, those no other entry in force allows"
            ),
            "unseen_days": Field(
                Kind.NUMBER,
                "连续未见的天数：扫描看全了条目范围而没有见到，首次与最近一次之间；没有看全则无此字段",
                "days without anything there, from the first to the last scan that looked at all of it",
            ),
        },
    }
)


def is_of_kind(value: FieldValue, kind: Kind) -> bool:
    """Tell whether a value, or each of several, is what a field of this kind holds; addresses are never texts."""
    return all(_TESTS[kind](one) for one in (value if isinstance(value, tuple) else (value,)))


_TESTS: Mapping[Kind, Callable[[Scalar], bool]] = {
    Kind.TEXT: lambda one: isinstance(one, str),
    Kind.NUMBER: lambda one: isinstance(one, int | float) and not isinstance(one, bool),
    Kind.FLAG: lambda one: isinstance(one, bool),
    Kind.ADDRESS: lambda one: isinstance(one, IPv4Address | IPv6Address),
    Kind.ANY: lambda _one: True,
}
