"""Pages as people and intruders write them, and as nobody would: what is on them, what is hidden, and nothing else."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.collect.html_reader import MAX_PARTS, decode_page, read_parts
from sentinel.collect.web_facts import read_facts
from sentinel.collect.web_fetch import Answer, Place
from sentinel.collect.web_link import Link, is_foreign, read_link, site_of
from sentinel.collect.web_page import find_identity_numbers, find_phones, read_page
from sentinel.drill.servers.planted_sites import identity_number
from sentinel.model.probe import clean_values
from tests.collect.test_probing import HERE

HOME = Link("https", "www.a.edu.cn", 443, "/x/index.html?sid=1")
CLEAR = Place(HERE, 80, False, "www.a.edu.cn")
SECURE = Place(HERE, 443, True, "www.a.edu.cn")


def facts(html: str | bytes, place: Place = CLEAR, status: int = 200, **headers: str) -> dict[str, object]:
    """The facts of a page that are there at all."""
    names = {"content-type": "text/html"} | {name.replace("_", "-"): value for name, value in headers.items()}
    body = html if isinstance(html, bytes) else html.encode()
    found, _ = read_facts(Answer(status, tuple(names.items()), body, whole=True), place, "/")
    return dict(clean_values(found))


WORDS = (
    "< > </ <!-- --> \" ' = <a~href= <script> </script> <title> &#x110000; &amp \0 é <p /> <!DOCTYPE İ <form> </div> "
    "<style>.a{display:none} document.write('<div~style=display:none>') <input~type=password> 110199 <div~hidden> 赌"
)
pieces = st.lists(
    st.sampled_from([one.replace("~", " ") for one in WORDS.split(" ")]) | st.text(max_size=8), max_size=60
)


@given(pieces)
@settings(max_examples=300, deadline=None)
def test_page_when_it_is_any_text_then_it_is_read_and_its_facts_can_be_kept(parts: list[str]) -> None:
    page = "".join(parts)
    names = {part.name for part in read_parts(page)}
    assert all(name == name.lower() for name in names)
    facts(page.encode("utf-8", "replace"))


@given(st.binary(max_size=400), st.text(max_size=40))
@settings(max_examples=200, deadline=None)
def test_page_when_it_is_any_bytes_then_it_is_decoded(body: bytes, kind: str) -> None:
    assert isinstance(decode_page(body, kind), str)


@pytest.mark.parametrize(
    "piece",
    ["<a", '<a"" ', "<a '", "<!", "<!--", "<script>", "<style>.a{", "<", "<a href='x", "<div style=display:none>", "&#",
     "<form><input type=password>", "<title>", "</a", "<p>text", "a b=", "<a\n", "<x y=\"", "1101992008"],
)  # fmt: skip
def test_page_when_it_is_made_to_take_time_then_it_takes_none(piece: str) -> None:
    page = (piece * (384 * 1024 // len(piece))) + ">"
    began = time.process_time()
    facts(page)
    assert time.process_time() - began < 30  # a hang guard: quadratic work on this length takes many minutes
    assert sum(1 for _ in read_parts(page)) <= 2 * MAX_PARTS


@pytest.mark.parametrize(
    ("body", "kind", "wanted"),
    [
        ("学校".encode(), "text/html; charset=gbk", "学校"),
        ("示例中学".encode("gbk"), "text/html; charset=utf-8", "示例中学"),
        ("学校".encode("gbk"), "text/html; charset=gbk", "学校"),
        ("示例中学".encode("gb18030"), "text/html", "示例中学"),
        ("<meta charset=big5>學校".encode("big5"), "text/html", "<meta charset=big5>學校"),
        (b"\xef\xbb\xbf" + "学校".encode(), "", "学校"),
        (b"\xff\xfe" + "学校".encode("utf-16-le"), "", "学校"),
        ("学校".encode()[:-1], "", "学"),
        (b"caf\xe9", "text/html; charset=ISO-8859-1", "café"),
        (b"\xff\xff\x81", "text/html; charset=rot13", "\ufffd\ufffd\ufffd"),
    ],
)
def test_page_when_its_charset_is_wrong_then_it_is_read_as_what_it_is(body: bytes, kind: str, wanted: str) -> None:
    assert decode_page(body, kind) == wanted


HIDDEN = [
    '<div style="display:none">{}</div>',
    '<div style="position:absolute;left:-9999px">{}</div>',
    "<p style='text-indent: -2000px'>{}</p>",
    '<span style="font-size:0">{}</span>',
    '<div style="overflow:hidden;height:1px">{}</div>',
    "<div hidden>{}</div>",
    '<marquee width="1" height="1" scrollamount="3000">{}</marquee>',
    "<style>.k{{display:none}}</style><div class='a k'>{}</div>",
    "<style>#k {{ visibility: hidden }}</style><div id=k>{}</div>",
    '<div id="k">{}</div><script>document.getElementById("k").style.display="none"</script>',
    "<script>document.write(\"<div style='display:none'>\");</script>{}<script>document.write('</div>');</script>",
    "<DIV STYLE=DISPLAY:NONE>{}</DIV>",
]


@pytest.mark.parametrize("way", HIDDEN)
def test_links_when_hidden_with_words_of_gambling_then_they_are_dark(way: str) -> None:
    links = '<a href="https://slots.example/">真人视讯</a><a href=//lottery.example/x>时时彩</a><a href="/own">校内</a>'
    found = facts("<title>学校</title>" + way.format(links) + '<a href="https://friend.example/">友情链接</a>')
    assert found["dark_links"] == ("slots.example", "lottery.example")
    assert set(found["dark_words"]) == {"真人视讯", "时时彩"}
    assert found["hidden_links"] == ("slots.example", "lottery.example")
    assert "tampered_words" not in found


@pytest.mark.parametrize(
    "page",
    [
        '<div style="display:none"><a href="https://friend.example/">友情链接</a></div>',
        '<div style="display:none"><a href="/bbs/1">拒绝百家乐</a></div>',
        '<div style="display:none"><a href="https://lib.a.edu.cn/">棋牌社</a></div>',
        '<a href="https://news.example/">警方打掉一百家乐团伙</a>',
        "<div style='display:none'>菜单</div><p>时时彩</p><a href='https://news.example/'>新闻</a>",
        '<div style="margin-left:-20px"><a href="https://x.example/">葡京</a></div>',
        '<div style="line-height:1;max-width:0">x</div><a href="https://x.example/">葡京</a>',
    ],
)
def test_links_when_seen_or_own_or_without_such_words_then_they_are_not_dark(page: str) -> None:
    assert "dark_links" not in facts(page)


def test_title_when_it_sells_gambling_then_its_words_are_told() -> None:
    entity = "&#33889;&#20140;"
    assert facts(f"<title>{entity}|百家乐官网</title>")["tampered_words"] == ("葡京", "百家乐")
    assert "tampered_words" not in facts("<title>警惕六合彩：示例中学</title>")


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ('<script src="https://x.example/lib/coinhive.min.js"></script>', ("CoinHive",)),
        ("<script>var m=new CoinHive.Anonymous('K');m.start()</script>", ("CoinHive",)),
        ("<script>WebAssembly.instantiate(fetch('cryptonight.wasm'))</script>", ("CryptoNight",)),
        ("<script>deepMiner.Init('x')</script><script src=webmr.js></script>", ("deepMiner", "WebMoneroPool")),
        ("<script>WebAssembly.instantiate(fetch('game.wasm'))</script><p>CoinHive.Anonymous</p>", None),
        ("<p>new CoinHive.Anonymous 是什么</p>", None),
    ],
)
def test_scripts_when_they_mine_then_the_miner_is_named(page: str, names: tuple[str, ...] | None) -> None:
    assert facts(page).get("mining_signs") == names


def test_people_when_shown_then_they_are_counted_and_masked_and_never_kept_whole() -> None:
    numbers = [identity_number(order) for order in (101, 102, 103, 104)]
    page = "".join(f"<td>{one.lower()}</td>" for one in [*numbers, numbers[0]])
    page += "<td>13800000000</td><td>15900000001</td><script>var a='" + identity_number(200) + "'</script>"
    found = facts(page)
    assert (found["pii_id_cards"], found["pii_phones"]) == (4, 2)
    assert len(found["pii_masked"]) == 3
    assert all(one[2:16] == "*" * 14 for one in found["pii_masked"])
    assert not any(number in repr(found) for number in numbers)


@pytest.mark.parametrize("change", ["last", "month", "province", "longer", "letter"])
def test_identity_number_when_it_cannot_be_one_then_it_is_not_counted(change: str) -> None:
    number = identity_number(101)
    wrong = {
        "last": number[:17] + ("1" if number[17] != "1" else "2"),
        "month": number[:10] + "13" + number[12:],
        "province": "99" + number[2:],
        "longer": number + "1",
        "letter": "a" + number,
    }[change]
    assert find_identity_numbers(number) == {number}
    assert find_identity_numbers(wrong) == set()
    assert find_phones("138000000001 98765432100 a13800000000") == set()


FORM = '<form method="{}" action="{}"><input type="PASSWORD" name=p></form>'


@pytest.mark.parametrize(
    ("page", "place", "wanted"),
    [
        (FORM.format("post", "/login"), CLEAR, (True, True, False)),
        (FORM.format("post", "/login"), SECURE, (True, False, False)),
        (FORM.format("post", "http://www.a.edu.cn/login"), SECURE, (True, True, False)),
        (FORM.format("get", "/login"), SECURE, (True, False, True)),
        ("<input type=password>", CLEAR, (True, True, False)),
        ("<form><input type=text></form>", CLEAR, (False, False, False)),
    ],
)
def test_form_when_it_asks_for_a_password_then_it_is_told_how(page: str, place: Place, wanted) -> None:
    found = facts(page, place)
    assert (found["login_form"], found["login_plain"], found["login_get"]) == wanted


def test_headers_when_missing_or_there_then_each_is_told() -> None:
    assert facts("<p>x", SECURE)["missing_headers"] == ("hsts", "csp", "frame", "nosniff")
    assert facts("<p>x", CLEAR)["missing_headers"] == ("csp", "frame", "nosniff")
    good = {"strict_transport_security": "max-age=1", "content_security_policy": "frame-ancestors 'self'"}
    assert "missing_headers" not in facts("<p>x", SECURE, x_content_type_options="nosniff", **good)
    assert "missing_headers" not in facts("<p>x", SECURE, status=404)


def test_cookies_when_flags_are_missing_then_session_cookies_are_named_and_never_their_values() -> None:
    def cookie(text: str, place: Place = SECURE) -> dict[str, object]:
        return facts("<p>x", place, set_cookie=text)

    found = cookie("JSESSIONID=secretvalue; Path=/")
    assert (found["cookies_not_secure"], found["cookies_not_httponly"]) == (("JSESSIONID",), ("JSESSIONID",))
    assert "secretvalue" not in repr(found)
    assert found["frameworks"] == ("Java",)
    assert "cookies_not_secure" not in cookie("JSESSIONID=x; secure; HTTPONLY")
    assert "cookies_not_secure" not in cookie("JSESSIONID=x", CLEAR)
    assert "cookies_not_httponly" not in cookie("XSRF-TOKEN=x; secure")
    assert "cookies_not_httponly" not in cookie("theme=dark; secure")


def test_page_when_it_shows_what_made_it_then_it_is_told() -> None:
    page = '<meta name=generator content="WordPress 5.1"><script src="/js/jquery-1.12.4.min.js"></script>'
    found = facts(page + '<link rel=stylesheet href="/wp-content/a.css">', x_powered_by="ThinkPHP")
    assert (found["generator"], found["powered_by"]) == ("WordPress 5.1", ("ThinkPHP",))
    assert found["frameworks"] == ("ThinkPHP", "jQuery 1.12.4")


@pytest.mark.parametrize(
    ("page", "field", "value"),
    [
        ("<title>Welcome to nginx!</title>", "default_page", "nginx"),
        ("<title>恭喜，站点创建成功！</title><p>恭喜, 站点创建成功！", "default_page", "bt-panel"),
        ("<html><body><h1>It works!</h1></body></html>", "default_page", "apache"),
        ("<title>IIS Windows Server</title><img src=iisstart.png>", "default_page", "iis"),
        ("<title>192.0.2.8 - /</title><a href=/>[To Parent Directory]</a>", "directory_listing", True),
        ("<title>Index of /</title>", "directory_listing", True),
        ("<p>示例ICP备 12345678号-1</p>", "icp", "示例ICP备12345678号-1"),
        ("<p>示例公网安备 11000002000001号</p>", "police_filing", "公网安备11000002000001号"),
        (
            "<b>Warning</b>:  include(/var/www/a.php) in <b>/var/www/b.php</b> on line <b>3</b>",
            "error_details",
            ("php",),
        ),
        ("at com.school.web.Login.do(Login.java:42)", "error_details", ("java",)),
    ],
)
def test_page_when_it_says_what_it_is_then_it_is_told(page: str, field: str, value: object) -> None:
    assert facts(page)[field] == value
    assert facts("<title>示例中学</title>").get(field, False) is False


def test_page_when_inside_tls_and_loading_in_clear_then_the_hosts_are_told() -> None:
    page = (
        '<script src="http://cdn.example/a.js"></script><img src="http://img.example/a.png"><script src=/b.js></script>'
    )
    assert facts(page, SECURE)["mixed_content"] == ("cdn.example",)
    assert "mixed_content" not in facts(page, CLEAR)
    assert facts(page, SECURE)["script_hosts"] == ("cdn.example",)


def test_page_when_only_counters_and_tokens_change_then_its_sum_stays() -> None:
    page = (
        "<title>校</title><p>访问 {} 次 2026-11-{}</p><input type=hidden value={}><script src='/a.js?v={}'></script>{}"
    )
    first, second = (facts(page.format(one, one, one, one, "")) for one in (11, 22))
    assert first["page_hash"] == second["page_hash"]
    assert facts(page.format(11, 11, 11, 11, "<p>被黑</p>"))["page_hash"] != first["page_hash"]
    assert (
        facts(page.format(11, 11, 11, 11, "<script src=//x.example/m.js></script>"))["page_hash"] != first["page_hash"]
    )


def test_answer_when_it_is_no_page_then_nothing_is_read_from_it() -> None:
    found = facts('{"a": "<input type=password>"}', content_type="application/json")
    assert found["html"] is False
    assert "login_form" not in found


def test_page_when_deep_and_wide_then_its_lists_are_bounded() -> None:
    page = read_page("<div>" * 5000 + "".join(f"<script src=//h{one}.example/></script>" for one in range(2000)))
    assert len(page.scripts) == 400
    assert len(facts("".join(f"<script src=//h{one}.example/></script>" for one in range(99)))["script_hosts"]) == 32


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("https://Other.Example:8443/a b?q=1#x", Link("https", "other.example", 8443, "/a%20b?q=1")),
        ("//cdn.example", Link("https", "cdn.example", 443, "/")),
        ("/login", Link("https", "www.a.edu.cn", 443, "/login")),
        ("login", Link("https", "www.a.edu.cn", 443, "/x/login")),
        ("?next=1", Link("https", "www.a.edu.cn", 443, "/x/index.html?next=1")),
        ("http://user:word@[2001:db8::1]/", Link("http", "2001:db8::1", 80, "/")),
        ("http:\\\\evil.example\\a", Link("http", "evil.example", 80, "/a")),
        ("http://学校.example/", Link("http", "xn--48s290a.example", 80, "/")),
        ("/a\r\nSet-Cookie: x=1", Link("https", "www.a.edu.cn", 443, "/aSet-Cookie:%20x=1")),
        ("javascript:alert(1)", None),
        ("mailto:a@b.example", None),
        ("ftp://x.example/", None),
        ("http://", None),
        ("http://a b/", None),
        ("http://x.example:99999/", None),
        ("", None),
        ("#top", None),
    ],
)
def test_link_when_read_then_it_is_what_a_browser_would_ask_for(text: str, wanted: Link | None) -> None:
    assert read_link(text, HOME) == wanted


@given(st.text(max_size=60))
@settings(deadline=None)
def test_link_when_it_is_any_text_then_what_is_read_can_be_asked_for(text: str) -> None:
    link = read_link(text, HOME)
    if link is not None:
        assert link.path.isascii()
        assert link.path.startswith("/")
        assert not set(link.path) & set(" \r\n\t")
        assert 0 < link.port < 65_536


def test_site_when_named_below_one_owner_then_it_is_the_same() -> None:
    assert site_of("www.a.edu.cn") == site_of("a.edu.cn") == "a.edu.cn"
    assert site_of("x.y.example.com") == "example.com"
    assert site_of("192.0.2.1") == "192.0.2.1"
    assert is_foreign(Link("http", "a.edu.cn.evil.example", 80, "/"), "www.a.edu.cn")
    assert not is_foreign(Link("http", "lib.a.edu.cn", 80, "/"), "www.a.edu.cn")
    assert Link("https", "2001:db8::1", 8443, "/a?b=c").text == "https://[2001:db8::1]:8443/a"


def test_link_when_its_path_holds_a_session_then_that_is_not_told() -> None:
    link = read_link("/in;jsessionid=1A2B/list.do;x=1?y=2", HOME)
    assert link is not None
    assert link.path == "/in;jsessionid=1A2B/list.do;x=1?y=2"
    assert link.text.endswith("/in/list.do")
