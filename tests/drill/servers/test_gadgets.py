"""Telephones, a media box and a sensor, asked with messages written by hand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.drill.servers.datagram import DatagramService, answers_to
from sentinel.drill.servers.gadgets import coap, sip_exchange, sip_phone, ssdp

PHONE, EXCHANGE, BOX, SENSOR = sip_phone(5060), sip_exchange(5060, "16.2.1"), ssdp(1900), coap(5683)


def sip(method: str, headers: str = "Call-ID: 1\r\nCSeq: 7 OPTIONS\r\n") -> bytes:
    start = f"{method} sip:100@school1.example SIP/2.0\r\n"
    via = "Via: SIP/2.0/UDP pc.school1.example;branch=z9hG4bK1;rport\r\nMax-Forwards: 70\r\n"
    people = "From: <sip:1@school1.example>;tag=a\r\nTo: <sip:100@school1.example>\r\n"
    return f"{start}{via}{people}{headers}Content-Length: 0\r\n\r\n".encode()


OPTIONS = sip("OPTIONS")
SEARCH = b'M-SEARCH * HTTP/1.1\r\nHost: 239.255.255.250:1900\r\nMan: "ssdp:discover"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n'
CORE = b"@\x01\x01\xce\xbb.well-known\x04core"
TEMPERATURE = b"\x52\x01\x12\x34\xab\xcd\xb4temp"


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("OPTIONS", b"200 OK"),
        ("INVITE", b"486 Busy Here"),
        ("BYE", b"481 Call/Transaction Does Not Exist"),
        ("REGISTER", b"405 Method Not Allowed"),
    ],
)
@pytest.mark.parametrize(
    ("service", "name"),
    [(PHONE, b"User-Agent: Yealink SIP-T21P_E2 52.84.0.15"), (EXCHANGE, b"Server: Asterisk PBX 16.2.1")],
    ids=["phone", "exchange"],
)
def test_telephone_when_called_then_it_answers_with_the_caller_own_headers(
    service: DatagramService, name: bytes, method: str, status: bytes
) -> None:
    (answer,) = answers_to(service, sip(method))

    lines = answer.split(b"\r\n")
    assert lines[0] == b"SIP/2.0 " + status
    assert lines[1:6] == [line for line in sip(method).split(b"\r\n")[1:7] if not line.startswith(b"Max")]
    assert name in lines
    assert answer.endswith(b"Content-Length: 0\r\n\r\n")


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(sip("ACK"), id="an-ack"),
        pytest.param(PHONE.answer(OPTIONS)[0], id="an-answer"),
        pytest.param(sip("OPTIONS", "Call-ID: 1\r\n"), id="without-a-number"),
        pytest.param(b"GET / HTTP/1.0\r\n\r\n", id="of-the-web"),
        pytest.param(b"\r\n\r\n", id="keep-alive"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_telephone_when_it_is_no_request_then_it_is_silent(message: bytes) -> None:
    assert PHONE.answer(message) == ()


@pytest.mark.parametrize("message", [SEARCH, b"\x72\xfe\x1d\x13" + bytes(40)])
def test_box_when_it_hears_anything_then_it_describes_itself_at_length(message: bytes) -> None:
    (answer,) = answers_to(BOX, message)

    assert answer.startswith(b"HTTP/1.1 200 OK\r\nST:upnp:rootdevice\r\n")
    assert BOX.flaws == ("ssdp.reflection",)


@pytest.mark.parametrize("message", [BOX.answer(SEARCH)[0], b"NOTIFY * HTTP/1.1\r\n\r\n"])
def test_box_when_another_box_speaks_then_it_is_silent(message: bytes) -> None:
    assert BOX.answer(message) == ()


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        pytest.param(CORE, b'`E\x01\xce\xc1\x28\xff</temp>;rt="temperature"', id="what-it-has"),
        pytest.param(TEMPERATURE, b"\x52\x45\x12\x34\xab\xcd\xff21.5", id="unconfirmed-with-a-token"),
        pytest.param(b"@\x01\0\1\xb4none", b"`\x84\0\1", id="what-it-has-not"),
        pytest.param(b"@\x01\0\1\x33aaa\x84temp", b"`E\0\1\xff21.5", id="another-option-before"),
        pytest.param(b"@\x02\0\1\xb4temp\xff30", b"`\x85\0\1", id="to-be-set"),
        pytest.param(b"@\x00\0\1", b"", id="a-ping"),
        pytest.param(b"`E\0\1\xff21.5", b"", id="an-answer"),
        pytest.param(b"@\x45\0\1", b"", id="an-answer-in-a-request"),
        pytest.param(b"\x49\x01\0\1" + bytes(9), b"", id="token-too-long"),
        pytest.param(b"\x44\x01\0\1ab", b"", id="token-cut"),
        pytest.param(b"@\x01\0\1\xbdlong", b"", id="option-of-a-longer-form"),
        pytest.param(b"@\x01\0\1\xb4te", b"", id="option-cut"),
        pytest.param(b"", b"", id="nothing"),
    ],
)
def test_sensor_when_asked_then_it_answers_as_its_protocol_says(message: bytes, answer: bytes) -> None:
    assert b"".join(SENSOR.answer(message)) == answer


@pytest.mark.parametrize("service", [PHONE, EXCHANGE, BOX, SENSOR], ids=["phone", "exchange", "box", "sensor"])
@settings(max_examples=150, deadline=None)
@given(
    request_=st.sampled_from((OPTIONS, SEARCH, CORE, TEMPERATURE, b"")),
    changes=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=4),
    kept=st.integers(0, 300),
    tail=st.binary(max_size=40),
)
def test_gadget_when_a_request_is_changed_anyhow_then_the_answer_stays_small(
    service: DatagramService, request_: bytes, changes: list[tuple[int, int]], kept: int, tail: bytes
) -> None:
    changed = bytearray(request_)
    for place, byte in changes:
        if changed:
            changed[place % len(changed)] = byte
    mutant = bytes(changed[:kept]) + tail

    answers = service.answer(mutant)

    assert sum(map(len, answers)) <= len(mutant) + 300
    assert all(len(answer) <= 3 * len(mutant) for answer in answers_to(service, mutant) if not service.amplifies)
