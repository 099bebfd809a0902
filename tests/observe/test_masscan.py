"""masscan's three formats, written as masscan 1.0 to 1.3 write them."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from sentinel.errors import ParseError
from sentinel.model.observation import CLOSED, OPEN, EndpointObservation, HostObservation, RunEnd
from sentinel.observe import masscan_json, masscan_list
from sentinel.observe.lines import MAX_LINE
from tests.observe.written import START, ends_of, hosts_of, losses_of, read, run_of

MOMENT = datetime.fromtimestamp(START, UTC)


def xml(*rows: str) -> str:
    return (
        '<?xml version="1.0"?>\r\n<!-- masscan v1.0 scan -->\r\n'
        f'<nmaprun scanner="masscan" start="{START - 9}" version="1.0-BETA"  xmloutputversion="1.03">\r\n'
        '<scaninfo type="syn" protocol="tcp" />\r\n' + "\r\n".join(rows) + "\r\n"
        f'<runstats>\r\n<finished time="{START + 9}" timestr="x" elapsed="9" />\r\n'
        '<hosts up="2" down="0" total="2" />\r\n</runstats>\r\n</nmaprun>\r\n'
    )


def xml_row(
    address: str = "192.0.2.1", port: str = "80", state: str = "open", proto: str = "tcp", service: str = ""
) -> str:
    return (
        f'<host endtime="{START}"><address addr="{address}" addrtype="ipv4"/><ports><port protocol="{proto}"'
        f' portid="{port}"><state state="{state}" reason="syn-ack" reason_ttl="64"/>{service}</port></ports></host>'
    )


def json_row(
    port: str = "80", address: str = "192.0.2.1", detail: str = '"status": "open", "reason": "syn-ack", "ttl": 64'
) -> str:
    row = f'{{"port": {port}, "proto": "tcp", {detail}}}'
    return f'{{   "ip": "{address}",   "timestamp": "{START}", "ports": [ {row} ] }}'


def json_line(port: int, kind: str = "status", detail: str = '"status":"open","reason":"syn-ack","ttl":64') -> str:
    row = f'"ip":"192.0.2.1","timestamp":"{START}","port":{port},"proto":"tcp","rec_type":"{kind}"'
    return f'{{{row},"data":{{{detail}}}}}\n'


def seen(endpoint: EndpointObservation, address: str = "192.0.2.1") -> tuple[str, int, str, str]:
    return address, endpoint.port, endpoint.state, endpoint.service


@pytest.mark.parametrize(
    ("text", "version", "has_end"),
    [
        (xml(xml_row(), xml_row(port="443")), "1.0-BETA", True),
        (f"[\n{json_row()}\n,\n{json_row('443')}\n]\n", "", True),
        (f"#masscan\nopen tcp 80 192.0.2.1 {START}\nopen tcp 443 192.0.2.1 {START}\n# end\n", "", True),
        (f"open tcp 80 192.0.2.1 {START}\r\nopen tcp 443 192.0.2.1 {START}\r\n", "", False),
    ],
)
def test_rows_when_of_one_address_are_observations_of_their_own(text: str, version: str, has_end: bool) -> None:
    observations = read(text)
    run = run_of(observations)
    assert observations[0] is run
    assert (run.tool, run.version, run.ports) == ("masscan", version, ())
    assert [(one.up, one.answered, one.complete, one.time) for one in hosts_of(observations)] == [
        (True, True, False, MOMENT)
    ] * 2
    assert [seen(*one.endpoints) for one in hosts_of(observations)] == [
        ("192.0.2.1", 80, OPEN, ""),
        ("192.0.2.1", 443, OPEN, ""),
    ]
    assert bool(ends_of(observations)) is has_end
    assert losses_of(observations) == []


@pytest.mark.parametrize(
    "text",
    [
        xml(xml_row(state="closed")),
        "[\n" + json_row(detail='"status": "closed", "reason": "rst-ack", "ttl": 64') + "\n]",
        f"closed tcp 80 192.0.2.1 {START}",
    ],
)
def test_row_when_closed_is_a_closed_port_of_a_host_that_answered(text: str) -> None:
    (found,) = hosts_of(read(text))
    assert (found.up, found.answered, found.endpoints[0].state) == (True, True, CLOSED)


@pytest.mark.parametrize(
    ("name", "banner", "expected"),
    [
        ("http", "HTTP/1.1 200 OK\\x0d\\x0a", {"service": "http", "extra": "HTTP/1.1 200 OK"}),
        ("title", "Welcome", {"service": "http", "title": "Welcome"}),
        ("title", "http://a.example/x?t=1", {"service": "http", "title": "http://a.example/x?…"}),
        ("title", "\\xe4\\xb8\\xad", {"service": "http", "title": "中"}),
        ("title", "\\xd6\\xd0\\xd1\\xa7", {"service": "http", "title": "中学"}),
        ("http.server", "nginx", {"service": "http", "product": "nginx"}),
        ("html", "page", {"service": "http"}),
        ("ssl", "TLS/1.2", {"tunnel": "ssl", "extra": "TLS/1.2"}),
        ("X509", "MIID", {"tunnel": "ssl"}),
        ("pop", "+OK", {"service": "pop3", "extra": "+OK"}),
        ("unknown", "abc", {"extra": "abc"}),
        ("(37)", "abc", {"extra": "abc"}),
        ("ssh", "SSH-2.0-x", {"service": "ssh", "extra": "SSH-2.0-x"}),
    ],
)
def test_banner_when_of_a_kind_tells_its_service_in_every_format(
    name: str, banner: str, expected: dict[str, str]
) -> None:
    escaped = banner.replace("\\x", "\\u00")
    texts = [
        xml(xml_row(service=f'<service name="{name}" banner="{banner}"></service>')),
        "[\n" + json_row(detail=f'"service": {{"name": "{name}", "banner": "{escaped}"}}') + "\n]",
        json_line(80, "banner", f'"service_name":"{name}","banner":"{escaped}"'),
        f"#masscan\nbanner tcp 80 192.0.2.1 {START} {name} {banner}\n# end",
    ]
    for text in texts:
        (found,) = hosts_of(read(text))
        (endpoint,) = found.endpoints
        words = {key: getattr(endpoint, key) for key in ("service", "extra", "title", "product", "tunnel")}
        assert {key: value for key, value in words.items() if value} == expected, text
        assert endpoint.state == OPEN


@pytest.mark.parametrize(
    ("proto", "state", "layer2"), [("icmp", "open", False), ("arp", "up", True), ("arp", "open", True)]
)
def test_row_when_an_answer_to_a_ping_shows_a_host_without_ports(proto: str, state: str, layer2: bool) -> None:
    (found,) = hosts_of(read(f"#masscan\n{state} {proto} 0 192.0.2.1 {START}\n"))
    assert (found.up, found.layer2, found.endpoints) == (True, layer2, ())


def test_row_when_the_address_is_of_version_6_is_read_though_marked_ipv4() -> None:
    (found,) = hosts_of(read(xml(xml_row("2001:db8::1"))))
    assert str(found.address) == "2001:db8::1"


OLD = f"[\n{json_row()},\n{json_row('443')},\n{{finished: 1}}\n]\n"


@pytest.mark.parametrize(
    "text",
    [
        OLD,
        OLD.replace("]\n", ""),
        OLD.replace("[\n", "").replace("]\n", ""),
        OLD.replace("finished", '"finished"'),
        OLD.replace("\n", ""),
        OLD.replace("\n", "\r\n"),
        OLD.replace("{finished: 1}\n", ""),
        "\ufeff" + OLD,
        f"[{json_row()}{json_row('443')}]",
    ],
)
def test_json_when_of_the_old_kind_that_is_not_json_is_read_whole(text: str) -> None:
    observations = read(text)
    assert [one.endpoints[0].port for one in hosts_of(observations)] == [80, 443]
    assert losses_of(observations) == []
    assert ends_of(observations) == [RunEnd(MOMENT)]


def test_json_when_its_lines_are_objects_is_read() -> None:
    observations = read(json_line(80) + json_line(81))
    assert [one.endpoints[0].port for one in hosts_of(observations)] == [80, 81]
    assert ends_of(observations) == []


def test_json_when_a_row_has_several_ports_gives_each() -> None:
    row = json_row().replace("} ] }", '}, {"port": 81, "proto": "tcp", "status": "open"}, {"port": "x"}, 7 ] }')
    observations = read(f"[{row}]")
    assert [one.endpoints[0].port for one in hosts_of(observations)] == [80, 81]
    assert losses_of(observations)[0].rows == 2


def test_json_when_a_value_holds_braces_and_quotes_is_not_misled() -> None:
    banner = 'a}{\\"ip\\":\\\\'
    row = json_row(detail=f'"service": {{"name": "http", "banner": "{banner}"}}')
    (found,) = hosts_of(read(f"[{row}\n]"))
    assert found.endpoints[0].extra == 'a}{"ip":\\'


@pytest.mark.parametrize(
    "garbage",
    [
        "what is this?",
        '{ "ip": "192.0.2.7", "timestamp": "17',
        '{ "ip": "192.0.2.7", "ports": [ {"port": 80,',
        '{ "ip": "192.0.2.7", "ports": [] }',
        '{ "ip": "none", "timestamp": "1", "ports": [ {"port": 1, "proto": "tcp", "status": "open"} ] }',
        '{ "ip": "192.0.2.7", "ports": [ {"port": 80, "proto": "tcp", "status": "strange"} ] }',
        '{ "ip": "224.0.0.1", "ports": [ {"port": 80, "proto": "tcp", "status": "open"} ] }',
        '{ "ip": "192.0.2.7", "ports": nonsense }',
        '{ "ip": "192.0.2.7", "ports": ' + "[" * 100_000 + "}",
        '{ "ip": ["192.0.2.7"], "ports": 5 }',
        "{" * 60,
    ],
)
def test_json_when_a_row_in_the_middle_is_garbage_loses_only_that_row(garbage: str) -> None:
    observations = read(f"[\n{json_row()}\n,\n{garbage}\n,\n{json_row('443')}\n]\n")
    assert [one.endpoints[0].port for one in hosts_of(observations)] == [80, 443]
    (loss,) = losses_of(observations)
    assert (loss.rows, loss.where) == (1, f"byte {len(json_row()) + 5}")


@pytest.mark.parametrize("flood", ["{", '{"', '{"ip":', '{"ip":[', "{ "])
def test_json_when_flooded_still_reads_what_follows(flood: str) -> None:
    observations = read(f"[\n{json_row()}\n,\n{flood * (3 * MAX_LINE // len(flood) // 2)}\n,\n{json_row('443')}\n]\n")
    assert [one.endpoints[0].port for one in hosts_of(observations)] == [80, 443]
    assert losses_of(observations)[0].rows > 0


def test_json_when_cut_inside_a_row_keeps_the_rows_before() -> None:
    text = f"[\n{json_row()}\n,\n{json_row('443')}"[:-20]
    observations = read(text)
    assert [one.endpoints[0].port for one in hosts_of(observations)] == [80]
    assert [one.rows for one in losses_of(observations)] == [1]
    assert ends_of(observations) == []


@pytest.mark.parametrize("chunk", [1, 3, 50])
def test_json_when_fed_in_any_chunks_gives_the_same(monkeypatch, chunk: int) -> None:
    text = f"[\n{json_row()}\n,\nrubbish {json_row('443')}\n,\n{json_row('444')}\n]\n"
    expected = hosts_of(read(text))
    monkeypatch.setattr(masscan_json, "CHUNK", chunk)
    assert hosts_of(masscan_json.parse(io.BytesIO(text.encode()))) == expected


@pytest.mark.parametrize("text", ["[\n]\n", "[\n{finished: 1}\n]\n", "#masscan\n# end\n", xml()])
def test_file_when_nothing_was_found_is_a_run_without_hosts(text: str) -> None:
    assert [type(one).__name__ for one in read(text)] == ["RunObservation", "RunEnd"]


@pytest.mark.parametrize(
    "line",
    [
        "open tcp 80 192.0.2.1",
        "open tcp eighty 192.0.2.1 1790000000",
        "open tcp 80 192.0.2.999 1790000000",
        "banner tcp 80 192.0.2.1 1790000000",
        "open tcp 80 192.0.2.1 1790000000 more",
        "up tcp 80 192.0.2.1 1790000000",
        "\x00\xff",
        "x" * (MAX_LINE + 5),
    ],
)
def test_list_when_a_line_is_garbage_loses_only_that_line(line: str) -> None:
    good = f"open tcp 80 192.0.2.1 {START}"
    observations = read(f"#masscan\n{good}\n{line}\n{line}\n{good}\n# end\n")
    assert len(hosts_of(observations)) == 2
    (loss,) = losses_of(observations)
    assert (loss.rows, loss.where) == (2, "line 3")


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (masscan_list.parse, "rubbish\nmore\n"),
        (masscan_json.parse, '[ {"ip": 5} ]'),
    ],
)
def test_file_when_no_row_can_be_read_raises_with_the_place(parse, text: str) -> None:
    with pytest.raises(ParseError, match="no row before or after it"):
        list(parse(io.BytesIO(text.encode())))


def test_list_when_a_timestamp_is_impossible_keeps_the_row_without_time() -> None:
    observations = read("#masscan\nopen tcp 80 192.0.2.1 0\n# end\n")
    assert [one.time for one in hosts_of(observations)] == [None]
    assert ends_of(observations) == [RunEnd(None)]


@pytest.mark.parametrize("bad", [xml_row("none"), xml_row(port="x"), xml_row(state="odd"), "<host/>"])
def test_xml_when_a_row_cannot_be_read_counts_it(bad: str) -> None:
    observations = read(xml(xml_row(), bad))
    assert len(hosts_of(observations)) == 1
    assert [one.rows for one in losses_of(observations)] == [1]


def test_xml_when_cut_keeps_the_whole_rows() -> None:
    text = xml(xml_row(), xml_row(port="443"))
    text = text[: text.index('portid="443"')]
    observations = read(text)
    assert [one.endpoints[0].port for one in hosts_of(observations)] == [80]
    assert [one.where for one in losses_of(observations)] == [f"byte {len(text)}"]
    assert ends_of(observations) == []


def test_xml_when_broken_before_any_row_raises() -> None:
    text = xml(xml_row())
    with pytest.raises(ParseError, match="before anything whole"):
        read(text[: text.index("<host ")])


def test_observation_when_from_masscan_is_of_the_shared_kind() -> None:
    assert all(isinstance(one, HostObservation) for one in hosts_of(read(OLD)))
