"""Consoles and interfaces of the practice school that speak HTTP: a version in, pages with their truth out."""

from __future__ import annotations

import json

from sentinel.drill.servers.conversation import Seen, Service
from sentinel.drill.servers.planted_sites import php_server
from sentinel.drill.servers.web import Page, Site, html, web

_JSON = "application/json"


def iis(port: int, version: str) -> Service:
    """Build the start page of an old Windows web server."""
    title = "IIS7" if version.startswith("7") else "IIS Windows Server"
    site = Site(f"Microsoft-IIS/{version}", {"/": Page(html(title, '<img src="welcome.png" alt="IIS7">'))})
    rules = ("exposure.default-page", "exposure.eol-iis")
    return web(port, site, Seen("http", "Microsoft IIS httpd", version), rules)


def tomcat(port: int, version: str) -> Service:
    """Build the start page of an old Tomcat."""
    title = f"Apache Tomcat/{version}"
    body = f"<h1>{title}</h1>\n<p>If you're seeing this, you've successfully installed Tomcat.</p>"
    seen = Seen("http", "Apache Tomcat/Coyote JSP engine", "1.1")
    site = Site("Apache-Coyote/1.1", {"/": Page(html(title, body))})
    return web(port, site, seen, ("exposure.default-page", "exposure.eol-tomcat"))


def weblogic(port: int, version: str) -> Service:
    """Build an old WebLogic that tells what it is."""
    site = Site(f"WebLogic WebLogic Server {version} Fri Mar 14 15:01:15 CST 2014", {"/": Page(html("应用服务", ""))})
    return web(port, site, Seen("http", "WebLogic applications server", version), ("exposure.weblogic",))


def phpmyadmin(port: int) -> Service:
    """Build the login page of phpMyAdmin on an old PHP."""
    body = '<form method="post"><input name="pma_username"> <input type="password" name="pma_password"></form>'
    site = php_server({"/": Page(html("phpMyAdmin", body))})
    rules = ("exposure.phpmyadmin", "exposure.eol-php")
    return web(port, site, Seen("http", "Apache httpd", "2.4.6"), rules)


def jupyter(port: int, version: str) -> Service:
    """Build the file list of a Jupyter without password; it runs nothing. `version` is that of its Tornado."""
    title = "Home Page - Select or create a notebook"
    started = "2026-01-05T00:00:00.000000Z"
    status = {"connections": 0, "kernels": 0, "last_activity": started, "started": started}
    pages = {
        "/": Page(html(title, "<h1>Jupyter</h1>\n<p>The notebook list is empty.</p>")),
        "/api": Page(b'{"version": "6.4.12"}', _JSON),
        "/api/status": Page(json.dumps(status).encode(), _JSON),
        "/api/contents": Page(b'{"name": "", "path": "", "content": [], "type": "directory"}', _JSON),
    }
    seen = Seen("http", "Tornado httpd", version)
    return web(port, Site(f"TornadoServer/{version}", pages), seen, ("exposure.jupyter-no-auth",))


def kibana(port: int, version: str) -> Service:
    """Build the start page of Kibana."""
    names = (("kbn-name", "kibana"), ("kbn-version", version))
    order = ("kbn-name", "kbn-version", "Content-Type", "Content-Length", "Date", "Connection")
    home = Page(html("Kibana", '<div id="kibana-body"></div>'), headers=names, order=order)
    missing = Page(b'{"statusCode":404,"error":"Not Found"}', _JSON, 404, names, order)
    site = Site("", {"/": home, "/app/kibana": home}, missing=missing)
    return web(port, site, Seen("http", "Elasticsearch Kibana", version), ("exposure.kibana",))


def tunnel_dashboard(port: int, version: str) -> Service:
    """Build the dashboard of a tunnel server somebody runs behind nginx."""
    pages = {"/": Page(html("frps dashboard", '<div id="app"></div>'))}
    site = Site(f"nginx/{version}", pages)
    return web(port, site, Seen("http", "nginx", version), ("exposure.tunnel-dashboard",))


def couchdb(port: int, version: str) -> Service:
    """Build an empty CouchDB that anybody may read."""
    about = {"couchdb": "Welcome", "version": version, "vendor": {"name": "The Apache Software Foundation"}}
    pages = {"/": Page(json.dumps(about).encode(), _JSON), "/_all_dbs": Page(b"[]\n", _JSON)}
    missing = Page(b'{"error":"not_found","reason":"no_db_file"}\n', _JSON, 404)
    site = Site(f"CouchDB/{version} (Erlang OTP/19)", pages, protocol="same", missing=missing)
    return web(port, site, Seen("http", "CouchDB httpd", version), ("exposure.couchdb",))


def docker_api(port: int, version: str) -> Service:
    """Build the remote interface of a Docker without a container, open to everybody."""
    named = (("Api-Version", "1.41"), ("Docker-Experimental", "false"), ("Ostype", "linux"))
    order = (*(name for name, _ in named), "Server", "Date", "Content-Length")
    about = {"Version": version, "ApiVersion": "1.41", "GitCommit": "practice", "Os": "linux", "Arch": "amd64"}

    def page(value: object) -> Page:
        return Page(json.dumps(value).encode() + b"\n", _JSON, 200, named, ("Content-Type", *order))

    pages = {
        "/version": page(about),
        "/info": page({"Containers": 0, "Images": 0, "ServerVersion": version}),
        "/containers/json": page([]),
        "/_ping": Page(b"OK", "text/plain; charset=utf-8", 200, named, ("Content-Type", *order)),
    }
    lost = Page(b'{"message":"page not found"}\n', _JSON, 404, order=("Content-Type", "Date", "Content-Length"))
    options = Page(b"", headers=named, order=order)
    site = Site(f"Docker/{version} (linux)", pages, "same", lost, options=options)
    return web(port, site, Seen("docker", "Docker", version), ("exposure.docker-api",))


def miner_api(port: int) -> Service:
    """Build the status interface a running miner offers to whoever asks; it mines nothing."""
    summary = {
        "id": "practice",
        "worker_id": "practice",
        "version": "6.21.0",
        "kind": "miner",
        "ua": "XMRig/6.21.0",
        "algo": "rx/0",
        "cpu": {"brand": "practice cpu", "cores": 8},
        "connection": {"pool": "pool.practice.invalid:3333", "uptime": 3600, "accepted": 42, "rejected": 0},
        "hashrate": {"total": [3120.5, 3098.2, 3101.7], "highest": 3188.0},
    }
    body = Page(json.dumps(summary, indent=4).encode(), _JSON)
    missing = Page(b'{\n    "status": 404,\n    "error": "NOT_FOUND"\n}\n', _JSON, 404)
    site = Site("", {"/1/summary": body, "/2/summary": body}, missing=missing, bare=True)
    return web(port, site, Seen(), flaws=("mining.miner-api",))


def http_proxy(port: int, version: str) -> Service:
    """Build a forward proxy that answers everybody and fetches nothing."""
    body = html("ERROR: The requested URL could not be retrieved", "<h1>ERROR</h1>\n<p>Access Denied.</p>")
    refusal = Page(body, status=403, headers=(("X-Squid-Error", "ERR_ACCESS_DENIED 0"),))
    site = Site(f"squid/{version}", {}, missing=refusal)
    return web(port, site, Seen("http-proxy", "Squid http proxy", version), ("exposure.http-proxy",))
