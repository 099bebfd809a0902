"""UDP ports of the practice school: closed until opened, bounded in what they answer, and to whom."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from sentinel.drill.servers import datagram
from sentinel.drill.servers.conversation import Seen
from sentinel.drill.servers.datagram import (
    ANSWER_BYTES,
    ANSWERS_PER_REQUEST,
    REQUEST_BYTES,
    Allowance,
    DatagramDoor,
    DatagramService,
    answers_to,
    is_answerable,
    reserve_datagram,
)

ADDRESS = IPv4Address("127.79.2.1")


def service_of(*answers: bytes, amplifies: bool = False) -> DatagramService:
    return DatagramService(9999, lambda _: answers, Seen(), amplifies=amplifies)


class Client:
    """A UDP client with its own connected socket, so that a closed port is told apart from silence."""

    def __init__(self, address: IPv4Address | IPv6Address, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.connect((str(address), port))

    async def say(self, words: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._socket, words)

    async def hear(self, timeout_s: float = 5.0) -> bytes:
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self._socket, 65535), timeout_s)

    async def ask(self, words: bytes) -> bytes:
        await self.say(words)
        return await self.hear()

    def close(self) -> None:
        self._socket.close()


def with_door(
    service: DatagramService,
    use: Callable[[DatagramDoor, Client], Awaitable[None]],
    *,
    address: IPv4Address | IPv6Address = ADDRESS,
    opened: bool = True,
) -> None:
    """Run a coroutine beside one real UDP port."""

    async def play() -> None:
        reserved = reserve_datagram(address, 0)
        client = Client(address, reserved.getsockname()[1])
        door = DatagramDoor(reserved, service)
        if opened:
            await door.open()
        try:
            await asyncio.wait_for(use(door, client), 20)
        finally:
            client.close()
            await door.close()

    asyncio.run(play())


@pytest.mark.parametrize("address", [ADDRESS, IPv6Address("::1")])
def test_door_when_the_port_is_only_reserved_then_it_is_closed_and_nothing_said_to_it_is_answered_later(
    address: IPv4Address | IPv6Address,
) -> None:
    async def use(door: DatagramDoor, client: Client) -> None:
        with pytest.raises(ConnectionRefusedError):
            await client.ask(b"early")
        await door.open()
        assert await client.ask(b"late") == b"yes"
        with pytest.raises(TimeoutError):
            await client.hear(0.1)

    with_door(service_of(b"yes"), use, address=address, opened=False)


def test_door_when_it_closes_then_the_port_is_closed() -> None:
    async def use(door: DatagramDoor, client: Client) -> None:
        assert await client.ask(b"one") == b"yes"
        await door.close()
        with pytest.raises(ConnectionRefusedError):
            await client.ask(b"two")

    with_door(service_of(b"yes"), use)


def test_door_when_it_never_opened_then_closing_frees_the_port() -> None:
    reserved = reserve_datagram(ADDRESS, 0)
    port = reserved.getsockname()[1]
    asyncio.run(DatagramDoor(reserved, service_of(b"yes")).close())

    reserve_datagram(ADDRESS, port).close()


def test_door_when_the_service_is_exchanged_then_the_next_request_meets_the_new_one() -> None:
    async def use(door: DatagramDoor, client: Client) -> None:
        assert await client.ask(b"who") == b"old"
        door.exchange(service_of(b"new"))
        assert await client.ask(b"who") == b"new"

    with_door(service_of(b"old"), use)


def test_door_when_a_peer_left_without_hearing_the_answer_then_the_next_is_served() -> None:
    async def use(door: DatagramDoor, client: Client) -> None:
        for _ in range(5):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
                gone.sendto(b"bye", client._socket.getpeername())
        await asyncio.sleep(0.05)
        assert await client.ask(b"here") == b"yes"

    with_door(service_of(b"yes"), use)


def test_door_when_asked_faster_than_allowed_then_the_rest_gets_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datagram, "ANSWERS_PER_S", 5)

    async def use(door: DatagramDoor, client: Client) -> None:
        for _ in range(20):
            await client.say(b"more")
        heard = 0
        with pytest.raises(TimeoutError):
            while True:
                await client.hear(0.1)
                heard += 1
        assert 5 <= heard <= 6

    with_door(service_of(b"yes"), use)


@pytest.mark.parametrize("opened", [True, False])
def test_reserve_when_a_door_has_the_port_then_it_fails(opened: bool) -> None:
    async def use(door: DatagramDoor, client: Client) -> None:
        with pytest.raises(OSError, match="in use"):
            reserve_datagram(ADDRESS, client._socket.getpeername()[1])

    with_door(service_of(b"yes"), use, opened=opened)


def test_open_when_somebody_else_shares_the_port_then_it_fails() -> None:
    reserved = reserve_datagram(ADDRESS, 0)
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(reserved.getsockname())
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        door = DatagramDoor(reserved, service_of(b"yes"))
        with pytest.raises(OSError, match="in use"):
            asyncio.run(door.open())
    reserved.close()


@pytest.mark.parametrize(
    ("host", "port", "answerable"),
    [
        ("10.77.1.5", 40000, True),
        ("fd77::5", 1, True),
        ("fe80::1%lo", 1, True),
        ("10.77.1.5", 0, False),
        ("255.255.255.255", 68, False),
        ("224.0.0.251", 5353, False),
        ("ff02::fb", 5353, False),
        ("0.0.0.0", 68, False),
        ("::", 546, False),
    ],
)
def test_sender_when_it_cannot_be_one_host_with_a_port_then_it_gets_no_answer(
    host: str, port: int, answerable: bool
) -> None:
    assert is_answerable(host, port) is answerable
    assert str(ip_address(host)) == host


@pytest.mark.parametrize(("port", "answers"), [(40000, [b"yes"]), (0, [])])
def test_door_when_the_sender_has_no_port_then_nothing_is_sent(port: int, answers: list[bytes]) -> None:
    class Transport(asyncio.DatagramTransport):
        def __init__(self) -> None:
            super().__init__()
            self.sent: list[bytes] = []

        def sendto(self, data: bytes, addr: object = None) -> None:
            self.sent.append(data)

    with reserve_datagram(ADDRESS, 0) as reserved:
        door, transport = DatagramDoor(reserved, service_of(b"yes")), Transport()
        door.connection_made(transport)
        door.datagram_received(b"hello", ("127.0.0.1", port))

    assert transport.sent == answers


@pytest.mark.parametrize(
    ("service", "request_", "count"),
    [
        pytest.param(service_of(b"a" * 30), b"b" * 10, 1, id="three-times-as-long"),
        pytest.param(service_of(b"a" * 31), b"b" * 10, 0, id="longer"),
        pytest.param(service_of(b"a" * 16, b"a" * 16), b"b" * 10, 0, id="longer-together"),
        pytest.param(service_of(b"a" * 1000, amplifies=True), b"b" * 10, 1, id="amplifying-is-the-weakness"),
        pytest.param(service_of(b"a" * (ANSWER_BYTES + 1), amplifies=True), b"b", 0, id="one-too-long"),
        pytest.param(service_of(*(b"a",) * 99, amplifies=True), b"b", ANSWERS_PER_REQUEST, id="too-many"),
        pytest.param(service_of(b"a"), b"", 0, id="empty-request"),
        pytest.param(service_of(b"a"), b"b" * (REQUEST_BYTES + 1), 0, id="request-too-long"),
    ],
)
def test_answers_when_they_are_too_many_or_too_long_then_they_are_left_out(
    service: DatagramService, request_: bytes, count: int
) -> None:
    assert len(answers_to(service, request_)) == count


def test_allowance_when_spent_then_it_refills_with_time_up_to_a_second() -> None:
    now_s = [0.0]
    allowance = Allowance(10, lambda: now_s[0])

    assert [allowance.take() for _ in range(11)] == [True] * 10 + [False]
    now_s[0] = 0.25
    assert [allowance.take() for _ in range(3)] == [True, True, False]
    now_s[0] = 100.0
    assert [allowance.take() for _ in range(11)] == [True] * 10 + [False]
