"""The fields rules about web pages and domain names may ask for, beside those of every closer look."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sentinel.assess.field import Field, Kind


def _text(zh: str, en: str) -> Field:
    return Field(Kind.TEXT, zh, en)


def _texts(zh: str, en: str) -> Field:
    return Field(Kind.TEXT, zh, en, many=True)


def _flag(zh: str, en: str) -> Field:
    return Field(Kind.FLAG, zh, en)


def _number(zh: str, en: str) -> Field:
    return Field(Kind.NUMBER, zh, en)


WEB_FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "tls": _flag("经 TLS（HTTPS）取得", "fetched inside TLS"),
        "status": _number("首页的状态码", "status of the first page"),
        "html": _flag("首页是网页", "the first page is HTML"),
        "title": _text("标题", "title"),
        "map_title": _text("扫描时所见的标题，暴露面规则据此判断", "title the scan saw, which rules of services go by"),
        "server": _text("Server 响应头", "Server header"),
        "powered_by": _texts("X-Powered-By 等响应头", "X-Powered-By and the like"),
        "generator": _text("页面自述的生成程序", "generator of the page"),
        "frameworks": _texts("框架与脚本库，如 ThinkPHP、jQuery 1.4.2", "frameworks, e.g. jQuery 1.4.2"),
        "redirect_to": _text("跳转到的网址（不含参数）", "where it redirects to, without the query"),
        "redirect_https": _flag("明文首页跳转到 HTTPS", "the page in clear redirects to HTTPS"),
        "redirect_outside": _flag(
            "跳转到别的主机、域名或非网站端口，未跟随", "the redirect leads to another host or a port of no site"
        ),
        "redirect_loop": _flag("跳转没有终点", "redirects have no end"),
        "missing_headers": _texts(
            "缺少的安全响应头：hsts、csp、frame、nosniff", "missing headers: hsts, csp, frame, nosniff"
        ),
        "cookies_not_secure": _texts("缺少 Secure 的会话 Cookie 名", "session cookies without Secure"),
        "cookies_not_httponly": _texts("缺少 HttpOnly 的会话 Cookie 名", "session cookies without HttpOnly"),
        "auth_schemes": _texts("HTTP 鉴别方式，如 basic", "schemes of HTTP authentication, e.g. basic"),
        "login_form": _flag("有口令输入框", "it asks for a password"),
        "login_plain": _flag("口令以明文 HTTP 提供或提交", "the password form is served over or sent to plain HTTP"),
        "login_get": _flag("口令以 GET 提交，会写入网址", "the password is sent by GET, inside the address"),
        "default_page": _text("安装后的默认页：nginx、apache、iis、tomcat 等", "default page: nginx, apache, iis …"),
        "directory_listing": _flag("首页列出文件目录", "the first page lists a folder"),
        "soft_404": _flag("任何路径都答 200，路径检查不作结论", "every path is answered 200: paths prove nothing"),
        "exposed": _texts(
            "可取得而不应公开的：git、svn、env、backup、actuator、phpinfo、server-status",
            "what can be fetched and should not: git, svn, env, backup, actuator, phpinfo, server-status",
        ),
        "error_details": _texts(
            "错误页泄露内部信息的程序：php、java、python、asp.net 等", "error pages that tell the inside, by language"
        ),
        "robots": _texts("robots.txt 不许收录的路径", "paths robots.txt keeps out"),
        "dark_links": _texts("暗链指向的外站：隐藏的链接，且有博彩等词", "sites dark links lead to"),
        "dark_words": _texts("暗链中的词", "words of the dark links"),
        "hidden_links": _texts("隐藏区域中链接的外站", "foreign sites linked from hidden parts"),
        "tampered_words": _texts(
            "标题、关键词、描述中的博彩等词，两个以上才列", "such words in title, keywords and description, if several"
        ),
        "script_hosts": _texts("载入脚本、框架、样式的外站", "foreign sites that scripts, frames and styles come from"),
        "mining_signs": _texts("网页挖矿程序的名称", "names of browser miners in the page"),
        "mining_hosts": _texts("载入脚本的外站中，列在矿池情报里的", "script_hosts that stand in the feed of pools"),
        "mixed_content": _texts(
            "HTTPS 页面以明文载入脚本的来源", "hosts a page inside TLS loads scripts from in clear"
        ),
        "pii_id_cards": _number("页面文字中校验无误的身份证号个数", "identity-card numbers that check out"),
        "pii_phones": _number("页面文字中的手机号个数", "mobile telephone numbers"),
        "pii_masked": _texts("其中至多三个身份证号，中间十四位以 * 代替", "at most three of the numbers, masked"),
        "icp": _text("ICP 备案号", "ICP filing number"),
        "police_filing": _text("公安备案号", "filing number of the public security organs"),
        "page_hash": _text("页面文字与脚本来源的摘要（不含数字），用于比对篡改", "sum of words and script sources"),
        "body_cut": _flag(
            "页面过大或未收完，只看了开头", "the page was too large or broke off: only its start was seen"
        ),
    }
)
"""What a look at a web site finds."""

DNS_FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "vantage": _text("探测位置，如 inside、outside", "from where it was seen, e.g. inside, outside"),
        "exists": _flag("域名存在", "the name exists"),
        "zone": _flag("是一个区的顶点（有 NS 记录）", "it is the top of a zone (has NS records)"),
        "public": _flag("有公网地址", "it has a global address"),
        "ipv4_address": _texts("IPv4 地址（A）", "IPv4 addresses (A)"),
        "ipv6_address": _texts("IPv6 地址（AAAA）", "IPv6 addresses (AAAA)"),
        "has_ipv6": _flag("有 IPv6 地址；解析不到答复时无此字段", "it has IPv6 addresses; absent when not known"),
        "site": _flag("经 IPv4 有网站应答", "a web site answers over IPv4"),
        "ipv6_reachable": _flag("网站经 IPv6 可以连接；探测机没有 IPv6 时无此字段", "the site answers over IPv6"),
        "ipv6_same": _flag("经 IPv6 与 IPv4 看到的首页相同", "the first page over IPv6 is the same as over IPv4"),
        "ipv6_links": _number("首页链接到的本单位其他站点数（二级链接）", "other hosts of the owner the page links to"),
        "ipv6_links_missing": _texts("其中没有 IPv6 地址的", "of them, those without IPv6 addresses"),
        "alias": _text("别名（CNAME）最终指向的名称", "what its aliases lead to"),
        "alias_dangling": _flag("别名指向的名称已不存在", "the name its alias leads to does not exist"),
        "takes_mail": _flag("有邮件服务器（MX）", "it has mail exchangers (MX)"),
        "mx": _texts("邮件服务器", "mail exchangers"),
        "name_servers": _texts("权威域名服务器（NS）", "name servers (NS)"),
        "ns_count": _number("权威域名服务器个数", "number of name servers"),
        "servers_asked": _flag("问过权威服务器（在授权之内且有应答）", "name servers inside the permit were asked"),
        "transfer_servers": _texts("向任何人提供整个区的服务器", "name servers that transfer the zone to anybody"),
        "recursive_servers": _texts("替提问者解析他人域名的权威服务器", "name servers that resolve names of others"),
        "spf_state": _text(
            "SPF：missing、several、pass-all、neutral、softfail、fail、redirect、open（没有 all）",
            "SPF: missing, several, pass-all, neutral, softfail, fail, redirect, open (without all)",
        ),
        "spf": _text("SPF 记录", "the SPF record"),
        "dmarc_state": _text(
            "DMARC：missing、several、invalid、none、quarantine、reject", "DMARC: missing, several, invalid, none …"
        ),
        "dmarc": _text("DMARC 记录", "the DMARC record"),
        "has_caa": _flag("本域或上级域有 CAA 记录", "it or a domain above has CAA records"),
        "caa": _texts("CAA 记录", "CAA records"),
        "dnssec": _text(
            "DNSSEC：signed、unsigned、broken（上级有 DS 而本区没有公钥）", "DNSSEC: signed, unsigned, broken"
        ),
    }
)
"""What a look at a domain finds."""
