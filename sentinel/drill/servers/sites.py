"""The web sites of the practice school: names in, pages with their server and truth out."""

from __future__ import annotations

from sentinel.drill.servers.certificate import CertificatePlan
from sentinel.drill.servers.conversation import Seen, Service
from sentinel.drill.servers.web import Page, Site, html, web

ICP = "示例ICP备00000000号-1"


def portal(port: int, school: str, version: str, certificate: CertificatePlan | None = None) -> Service:
    """Build the school's portal: title, links and filing number, behind nginx."""
    body = (
        f"<h1>{school}</h1>\n<ul><li>学校概况</li><li>通知公告</li><li>招生信息</li></ul>\n"
        f'<footer><p>版权所有 {school}</p><p><a href="https://beian.example/">{ICP}</a></p></footer>'
    )
    pages = {"/": Page(html(f"{school} 门户网站", body)), "/robots.txt": Page(b"User-agent: *\n", "text/plain")}
    seen = Seen("http", "nginx", version)
    return web(port, Site(f"nginx/{version}", pages), seen, certificate=certificate)


def login_form(port: int, school: str, system: str, certificate: CertificatePlan | None = None) -> Service:
    """Build a system with a login form, on an old Tomcat."""
    body = (
        f'<h1>{system}</h1>\n<form method="post" action="/login">\n<label>账号 <input name="username"></label>\n'
        '<label>密码 <input type="password" name="password"></label>\n<button>登录</button>\n</form>'
    )
    page = Page(html(f"{school} {system}登录", body))
    seen = Seen("http", "Apache Tomcat/Coyote JSP engine", "1.1")
    weaknesses = () if certificate else ("exposure.plain-login",)
    return web(port, Site("Apache-Coyote/1.1", {"/": page, "/login": page}), seen, weaknesses, certificate)


def default_page(port: int, version: str) -> Service:
    """Build a forgotten Apache 2.2 that still shows its test page."""
    title = "Apache HTTP Server Test Page powered by CentOS"
    body = "<h1>Testing 123..</h1>\n<p>This page is used to test the proper operation of the Apache HTTP server.</p>"
    seen = Seen("http", "Apache httpd", version)
    site = Site(f"Apache/{version} (CentOS)", {"/": Page(html(title, body))})
    return web(port, site, seen, ("exposure.default-page", "exposure.eol-apache"))


def directory_listing(port: int, version: str) -> Service:
    """Build a file server that lists its folders."""
    names = ("archive-2025.zip", "backup.sql", "courseware/", "readme.txt")
    rows = "\n".join(f'<tr><td><a href="{name}">{name}</a></td></tr>' for name in names)
    pages = {
        "/": Page(html("Index of /", f"<h1>Index of /</h1>\n<table>\n{rows}\n</table>")),
        "/readme.txt": Page("练习用文件。\n".encode(), "text/plain; charset=utf-8"),
    }
    seen = Seen("http", "lighttpd", version)
    return web(port, Site(f"lighttpd/{version}", pages), seen, ("exposure.directory-listing",))


def camera_page(port: int) -> Service:
    """Build the login page of a network camera."""
    body = '<form>用户名 <input name="user"> 密码 <input type="password" name="pass"></form>'
    site = Site("App-webs/", {"/": Page(html("网络摄像机", body))}, protocol="same")
    return web(port, site, Seen("http", "Hikvision IP camera httpd"))


def printer_page(port: int) -> Service:
    """Build the status page of a network printer."""
    title = "HP LaserJet P2055dn&nbsp;&nbsp;&nbsp;图书馆"
    site = Site("Virata-EmWeb/R6_2_1", {"/": Page(html(title, "<h1>设备状态</h1>\n<p>就绪</p>"))})
    return web(port, site, Seen("http", "Virata-EmWeb", "6.2.1"))


def switch_page(port: int, school: str, certificate: CertificatePlan | None = None) -> Service:
    """Build the management page of a switch."""
    body = '<form method="post">用户名 <input name="name"> 密码 <input type="password" name="word"></form>'
    site = Site("Boa/0.94.13", {"/": Page(html(f"{school} 交换机管理", body))}, protocol="HTTP/1.0")
    seen = Seen("http", "Boa HTTPd", "0.94.13")
    weaknesses = () if certificate else ("exposure.device-web-plain",)
    return web(port, site, seen, weaknesses, certificate)
