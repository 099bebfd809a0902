"""The fields closer looks at TLS servers find out, in the groups in which they may repeat what another look found."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sentinel.assess.field import Field, Kind

AGREEMENT_FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "versions": Field(
            Kind.TEXT,
            "愿用的协议版本：ssl2、ssl3、tls1.0、tls1.1、tls1.2、tls1.3、tlcp；与不带域名时的应答相同则无此字段",
            "versions it agrees to; absent where it answers as it does without a name",
            many=True,
        ),
        "untold_versions": Field(Kind.TEXT, "未能查明的协议版本", "versions of which nothing was found out", many=True),
        "suites": Field(
            Kind.TEXT, "各版本选用的套件，如 tls1.2 RSA_WITH_AES_128_CBC_SHA", "suite it chose by version", many=True
        ),
        "weak_suites": Field(
            Kind.TEXT,
            "愿用的弱套件类别：null、anon、export、rc4、des、3des、md5",
            "families of weak suites it agrees to",
            many=True,
        ),
        "weak_suite_names": Field(Kind.TEXT, "愿用的弱套件名称，每类至少一个", "weak suites it chose", many=True),
        "weak_suites_untold": Field(Kind.FLAG, "弱套件没有查完", "the search for weak suites was cut short"),
        "forward_secrecy": Field(Kind.FLAG, "最新版本支持前向保密的套件", "its newest version has forward secrecy"),
        "dh_bits": Field(Kind.NUMBER, "有限域密钥交换（DHE）的位数", "length of its Diffie-Hellman group"),
        "compression": Field(Kind.FLAG, "愿用 TLS 压缩", "it agrees to compress"),
        "tlcp": Field(Kind.FLAG, "支持国密协议 TLCP；未查明则无此字段", "it speaks TLCP; absent when not found out"),
    }
)
"""What it agrees to."""

SHOWN_FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "certificate_sha256": Field(Kind.TEXT, "证书的 SHA-256 指纹", "SHA-256 of the certificate"),
        "certificate_unreadable": Field(Kind.FLAG, "证书无法解析", "the certificate cannot be read"),
        "subject": Field(Kind.TEXT, "使用者", "subject"),
        "issuer": Field(Kind.TEXT, "颁发者", "issuer"),
        "names": Field(Kind.TEXT, "证书覆盖的域名和地址", "names the certificate covers", many=True),
        "key_type": Field(Kind.TEXT, "公钥算法：rsa、ec、ed25519、ed448、dsa、sm2", "key type"),
        "key_bits": Field(Kind.NUMBER, "公钥位数", "key length in bits"),
        "signature": Field(Kind.TEXT, "签名算法，如 sha256WithRSAEncryption", "signature algorithm"),
        "self_signed": Field(Kind.FLAG, "自签名", "issuer equals subject"),
        "not_before": Field(Kind.TEXT, "生效时间，如 2026-01-01T00:00:00+00:00", "start of validity"),
        "not_after": Field(Kind.TEXT, "到期时间", "end of validity"),
        "days_left": Field(Kind.NUMBER, "距到期的整天数，过期为负", "whole days to expiry, negative when past"),
        "expired": Field(Kind.FLAG, "已过期", "expired"),
        "not_yet_valid": Field(Kind.FLAG, "尚未生效", "not yet valid"),
        "chain_length": Field(Kind.NUMBER, "发送的证书张数", "certificates it sends"),
        "chain_complete": Field(
            Kind.FLAG,
            "一并发送了签发者的证书，或为自签名（不联网下载，不查本机信任库）",
            "the certificate that signed it was sent too, or it signed itself",
        ),
        "chain_broken": Field(
            Kind.FLAG, "发送的其他证书没有一张是其签发者", "other certificates were sent, and none of them signed it"
        ),
        "chain_signatures": Field(
            Kind.TEXT, "中间证书的签名算法", "signature algorithms of the intermediates", many=True
        ),
        "sm2": Field(Kind.FLAG, "出示了 SM2 证书", "it shows an SM2 certificate"),
        "ocsp_stapled": Field(Kind.FLAG, "随附证书状态（OCSP）；只在明文握手中可见", "it staples an OCSP response"),
    }
)
"""What it shows."""

TLS_FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "tls": Field(Kind.FLAG, "使用 TLS 或 SSL；应答是别的协议则为 false", "it speaks TLS; false: something else"),
        "starttls": Field(Kind.FLAG, "先明文、后以 STARTTLS 转为 TLS", "TLS begins after words in clear"),
        "needs_name": Field(Kind.FLAG, "不带域名不应答", "it does not answer without a server name"),
        "alpn": Field(Kind.TEXT, "选用的上层协议，如 h2", "protocol it chose, e.g. h2"),
        **AGREEMENT_FIELDS,
        **SHOWN_FIELDS,
        "name_mismatch": Field(
            Kind.FLAG,
            "证书不含查看时使用的域名，而含该端口的其他已知域名；均不含的由 certificate 类别判断",
            "it does not cover the asked name, but another one known there",
        ),
    }
)
"""All of them."""
