"""The fields closer looks at services find out: SSH algorithms, whether a login is asked for, SNMP and mail."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sentinel.assess.field import Field, Kind

SERVICE_LOOK_FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "ssh_protocol": Field(Kind.TEXT, "深查：SSH 协议版本，如 2.0、1.99", "protocol version of SSH, e.g. 2.0, 1.99"),
        "ssh_software": Field(Kind.TEXT, "深查：SSH 软件版本，如 OpenSSH_9.2p1", "software of SSH, e.g. OpenSSH_9.2p1"),
        "ssh_kex": Field(Kind.TEXT, "深查：SSH 密钥交换算法", "key exchanges of SSH", many=True),
        "ssh_host_keys": Field(Kind.TEXT, "深查：SSH 主机密钥算法", "host key algorithms of SSH", many=True),
        "ssh_ciphers": Field(Kind.TEXT, "深查：SSH 加密算法", "ciphers of SSH", many=True),
        "ssh_macs": Field(Kind.TEXT, "深查：SSH 完整性算法", "message authentication codes of SSH", many=True),
        "ssh_compression": Field(Kind.TEXT, "深查：SSH 压缩算法", "compressions of SSH", many=True),
        "no_login": Field(
            Kind.FLAG,
            "深查：未登录的只读请求得到应答；要求登录为 false，未查明则无此字段",
            "it answered a read without a login; false: it asks for one; absent when neither is proven",
        ),
        "login_product": Field(Kind.TEXT, "深查：按哪种产品询问，如 redis", "the product it was asked as, e.g. redis"),
        "login_proof": Field(Kind.TEXT, "深查：依据，如 INFO server、HTTP 401", "what shows it, e.g. HTTP 401"),
        "login_version": Field(Kind.TEXT, "深查：未登录即得到的版本号", "version it told without a login"),
        "login_listed": Field(
            Kind.NUMBER,
            "深查：未登录即可列出的库、模块、共享的个数",
            "databases, modules or shares it lists without a login",
        ),
        "snmp_public": Field(
            Kind.FLAG,
            "深查：以团体名 public 可读取；证实不可读为 false",
            "it can be read with the community public; false: it is proven that it cannot",
        ),
        "snmp_version": Field(Kind.TEXT, "深查：SNMP 应答的版本：1、2c、3", "version of SNMP that answered: 1, 2c, 3"),
        "mail_starttls": Field(
            Kind.FLAG, "深查：邮件服务提供 STARTTLS；TLS 端口无此字段", "STARTTLS is offered; absent inside TLS"
        ),
        "mail_auth": Field(
            Kind.TEXT, "深查：邮件服务提供的登录方式，如 PLAIN", "ways to log in, e.g. PLAIN", many=True
        ),
        "mail_plain_login": Field(Kind.FLAG, "深查：不加密即可提交口令登录", "passwords are taken in clear"),
        "mail_vrfy": Field(Kind.FLAG, "深查：VRFY 命令透露有无此用户", "VRFY tells whether a user exists"),
        "mail_expn": Field(Kind.FLAG, "深查：EXPN 命令透露名单成员", "EXPN tells who is on a list"),
        "mail_open_relay": Field(
            Kind.FLAG,
            "深查：愿为外部发件人向外部收件人转发（只问不发信）；未查明则无此字段",
            "it takes mail of strangers for strangers (asked, never sent); absent when not proven",
        ),
    }
)
"""Fields closer looks at a service find out."""
