"""The words of reports in Chinese and English, by the glossary: one term for one idea everywhere."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from sentinel.model.assignment import Act, AssignmentKind, AssignmentState
from sentinel.model.control import Basis, Check
from sentinel.model.endpoint import ChangeKind
from sentinel.model.finding import Disclosure, FindingSource, FindingState, SubjectKind
from sentinel.model.flow import FlowClass
from sentinel.model.notice import Direction, NoticeKind
from sentinel.model.rule import Severity
from sentinel.model.unit import UnitLevel, Zone
from sentinel.report.sentences import SENTENCES
from sentinel.report.sentences_map import MAP_SENTENCES
from sentinel.report.values import Text

_TERMS: Final[dict[type[StrEnum], dict[StrEnum, Text]]] = {
    Severity: {
        Severity.CRITICAL: Text("严重", "critical"),
        Severity.HIGH: Text("高危", "high"),
        Severity.MEDIUM: Text("中危", "medium"),
        Severity.LOW: Text("低危", "low"),
        Severity.INFORMATIONAL: Text("提示", "note"),
    },
    FindingState: {
        FindingState.OPEN: Text("待整改", "open"),
        FindingState.RECTIFYING: Text("整改中", "in rectification"),
        FindingState.FIXED: Text("待复测", "fixed, unverified"),
        FindingState.VERIFIED: Text("复测通过", "verified by the unit"),
        FindingState.AWAITING: Text("复测通过，待销号", "verified, awaiting the issuer"),
        FindingState.CLOSED: Text("已销号", "closed by the issuer"),
        FindingState.ACCEPTED: Text("风险接受", "accepted"),
        FindingState.FALSE_POSITIVE: Text("误报", "false positive"),
    },
    FindingSource: {
        FindingSource.OWN_SCAN: Text("本单位扫描", "own scan"),
        FindingSource.TRAFFIC: Text("流量分析", "traffic"),
        FindingSource.UPPER_SCAN: Text("上级扫描", "upper scan"),
        FindingSource.NOTICE: Text("外部通报", "outside notice"),
        FindingSource.REPORT: Text("第三方报告", "third-party report"),
        FindingSource.HAND: Text("人工登记", "by hand"),
    },
    SubjectKind: {
        SubjectKind.ENDPOINT: Text("端口", "endpoint"),
        SubjectKind.HOST: Text("主机", "host"),
        SubjectKind.DOMAIN: Text("域名", "domain"),
        SubjectKind.URL: Text("网址", "URL"),
        SubjectKind.SYSTEM: Text("信息系统", "system"),
        SubjectKind.UNIT: Text("单位", "unit"),
        SubjectKind.ENTRY: Text("白名单条目", "whitelist entry"),
    },
    Disclosure: {
        Disclosure.PUBLIC: Text("公开", "public"),
        Disclosure.INTERNAL: Text("内部", "internal"),
        Disclosure.RESTRICTED: Text("限定", "restricted"),
    },
    NoticeKind: {
        NoticeKind.BULLETIN: Text("通报", "bulletin"),
        NoticeKind.WARNING: Text("预警", "warning"),
        NoticeKind.HUNT: Text("协查", "hunt"),
        NoticeKind.RECTIFY: Text("限期整改", "rectification"),
        NoticeKind.OTHER: Text("其他", "other"),
    },
    Direction: {
        Direction.IN: Text("收到", "in"),
        Direction.OUT: Text("发出", "out"),
    },
    AssignmentKind: {
        AssignmentKind.NOTICE: Text("通报", "notice"),
        AssignmentKind.HUNT: Text("协查", "hunt"),
        AssignmentKind.FORM: Text("填报", "form"),
        AssignmentKind.SELF_CHECK: Text("自查", "self-check"),
        AssignmentKind.ZERO_REPORT: Text("零报告", "zero report"),
        AssignmentKind.DRILL_ACTION: Text("演练动作", "drill action"),
        AssignmentKind.ATTESTATION: Text("举证", "attestation"),
        AssignmentKind.RECTIFICATION: Text("整改", "rectification"),
    },
    AssignmentState: {
        AssignmentState.ISSUED: Text("已下发", "issued"),
        AssignmentState.RECEIVED: Text("已签收", "received"),
        AssignmentState.REPLIED: Text("已反馈", "replied"),
        AssignmentState.RETURNED: Text("已退回", "returned"),
        AssignmentState.ACCEPTED: Text("审核通过", "accepted"),
        AssignmentState.CLOSED: Text("已办结", "closed"),
        AssignmentState.WITHDRAWN: Text("已撤回", "withdrawn"),
    },
    Act: {
        Act.ISSUE: Text("下发", "issue"),
        Act.RECEIVE: Text("签收", "receive"),
        Act.REPLY: Text("反馈", "reply"),
        Act.ACCEPT: Text("审核通过", "accept"),
        Act.RETURN: Text("退回", "return"),
        Act.CLOSE: Text("办结", "close"),
        Act.ESCALATE: Text("督办", "escalate"),
        Act.WITHDRAW: Text("撤回", "withdraw"),
    },
    Zone: {
        Zone.SERVER: Text("服务器区", "servers"),
        Zone.OFFICE: Text("办公区", "offices"),
        Zone.DORMITORY: Text("宿舍区", "dormitory"),
        Zone.WIRELESS: Text("无线网", "wireless"),
        Zone.IOT: Text("物联网区", "IoT"),
        Zone.EXAM: Text("考试专网", "exam"),
        Zone.DMZ: Text("对外服务区", "DMZ"),
        Zone.UNKNOWN: Text("区域未填", "zone not given"),
    },
    UnitLevel: {
        UnitLevel.PROVINCE: Text("省级", "province"),
        UnitLevel.CITY: Text("市级", "city"),
        UnitLevel.COUNTY: Text("县级", "county"),
        UnitLevel.SCHOOL: Text("学校", "school"),
        UnitLevel.DEPARTMENT: Text("二级单位", "department"),
    },
    ChangeKind: {
        ChangeKind.NEW: Text("新增", "new"),
        ChangeKind.GONE: Text("消失", "gone"),
        ChangeKind.CHANGED: Text("变更", "changed"),
        ChangeKind.NEWLY_COVERED: Text("新纳入扫描", "newly covered"),
        ChangeKind.UNKNOWN: Text("转为未核查", "turned unknown"),
    },
    FlowClass: {
        FlowClass.MINING: Text("挖矿行为", "mining"),
        FlowClass.SUSPECT: Text("疑似挖矿", "suspect"),
        FlowClass.NODE: Text("区块链节点", "node"),
        FlowClass.NAME: Text("仅域名命中", "name only"),
    },
    Check: {
        Check.AUTO: Text("自动核查", "automatic"),
        Check.SEMI: Text("半自动（工具加人工）", "semi-automatic"),
        Check.MANUAL: Text("人工核查", "by hand"),
    },
    Basis: {
        Basis.AUTO: Text("工具取证", "tool evidence"),
        Basis.ATTESTED: Text("人工举证", "attested"),
        Basis.NONE: Text("无", "none"),
    },
}
"""Grouped by type: members of different enums with the same value are equal as keys."""

_DOMAINS: Final[dict[str, str]] = {
    "安全物理环境": "Physical environment",
    "安全通信网络": "Communication network",
    "安全区域边界": "Zone borders",
    "安全计算环境": "Computing environment",
    "安全管理中心": "Management centre",
    "安全管理制度": "Management rules",
    "安全管理机构": "Management organisation",
    "安全管理人员": "Management staff",
    "安全建设管理": "Construction management",
    "安全运维管理": "Operations management",
}

_SERVICES: Final[dict[str, Text]] = {
    "http": Text("网页 HTTP", "Web HTTP"),
    "https": Text("网页 HTTPS", "Web HTTPS"),
    "ssh": Text("远程管理 SSH", "SSH"),
    "telnet": Text("远程管理 Telnet", "Telnet"),
    "ms-wbt-server": Text("远程桌面 RDP", "Remote desktop RDP"),
    "vnc": Text("远程桌面 VNC", "Remote desktop VNC"),
    "microsoft-ds": Text("文件共享 SMB", "File sharing SMB"),
    "netbios-ssn": Text("文件共享 NetBIOS", "File sharing NetBIOS"),
    "nfs": Text("文件共享 NFS", "File sharing NFS"),
    "ftp": Text("文件传输 FTP", "FTP"),
    "mysql": Text("数据库 MySQL", "Database MySQL"),
    "ms-sql-s": Text("数据库 SQL Server", "Database SQL Server"),
    "oracle-tns": Text("数据库 Oracle", "Database Oracle"),
    "postgresql": Text("数据库 PostgreSQL", "Database PostgreSQL"),
    "mongodb": Text("数据库 MongoDB", "Database MongoDB"),
    "redis": Text("缓存 Redis", "Cache Redis"),
    "tcpwrapped": Text("连接即断", "Closes at once"),
    "memcached": Text("缓存 Memcached", "Cache Memcached"),
    "rtsp": Text("视频监控 RTSP", "Video RTSP"),
    "jetdirect": Text("打印机 JetDirect", "Printer JetDirect"),
    "ipp": Text("打印机 IPP", "Printer IPP"),
    "printer": Text("打印机 LPD", "Printer LPD"),
    "snmp": Text("网络管理 SNMP", "SNMP"),
    "domain": Text("域名解析 DNS", "DNS"),
    "smtp": Text("邮件 SMTP", "Mail SMTP"),
    "imap": Text("邮件 IMAP", "Mail IMAP"),
    "pop3": Text("邮件 POP3", "Mail POP3"),
    "ldap": Text("目录 LDAP", "Directory LDAP"),
    "msrpc": Text("远程调用 MSRPC", "MSRPC"),
    "rpcbind": Text("远程调用 rpcbind", "rpcbind"),
}

SEVERITY_MARKS: Final[dict[str, str]] = {
    "critical": "◆",
    "high": "▲",
    "medium": "●",
    "low": "○",
    "informational": "·",
}
"""A shape beside every severity colour, for grey print and for readers who do not tell the colours apart."""


def term(value: StrEnum) -> Text:
    """Give the glossary's words for a value of the model."""
    return _TERMS[type(value)][value]


def domain_text(name: str) -> Text:
    """Give the English beside a domain of a catalogue; unknown domains keep their name."""
    return Text(name, _DOMAINS.get(name, name))


def service_text(service: str) -> Text:
    """Give the words of a protocol name as a scanner prints it; unknown names are shown as they are."""
    if not service:
        return Text("未识别", "not identified")
    return _SERVICES.get(service, Text(service, service))


def text(key: str, **values: object) -> Text:
    """Fill a sentence in both languages; whole numbers get thousands separators, texts their language."""
    sentence = SENTENCES[key] if key in SENTENCES else MAP_SENTENCES[key]
    chinese = {name: _spoken(value, "zh") for name, value in values.items()}
    english = {name: _spoken(value, "en") for name, value in values.items()}
    return Text(sentence[0].format(**chinese), sentence[1].format(**english))


def _spoken(value: object, lang: str) -> str:
    if isinstance(value, Text):
        return value.in_language(lang)
    return f"{value:,}" if isinstance(value, int) else str(value)
