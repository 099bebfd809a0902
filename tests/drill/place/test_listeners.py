"""Programs of the machine that listen on every address, read from the kernel's tables."""

from pathlib import Path

import pytest

from sentinel.drill.place.listeners import foreign_listeners
from tests.drill.within import within

# Written to the columns of proc_pid_net(5).
TCP = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0
   2: 00000000:0050 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0 20 4 30 10 -1
"""
TCP6 = """  sl  local_address                         remote_address                        st tx_queue rx_queue
   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000
   1: 00000000000000000000000001000000:0019 00000000000000000000000000000000:0000 0A 00000000:00000000
   2: 00000000000000000000000000000000:07E8 00000000000000000000000000000000:0000 0A 00000000:00000000
"""


def test_foreign_listeners_when_sockets_listen_on_every_address_then_each_port_is_named_once(tmp_path: Path) -> None:
    (tmp_path / "tcp").write_text(TCP, "ascii")
    (tmp_path / "tcp6").write_text(TCP6, "ascii")

    assert foreign_listeners(tmp_path) == (("tcp", 22), ("tcp", 2024))


def test_foreign_listeners_when_there_is_no_ipv6_then_the_rest_is_told(tmp_path: Path) -> None:
    (tmp_path / "tcp").write_text(TCP, "ascii")

    assert foreign_listeners(tmp_path) == (("tcp", 2024),)


def test_foreign_listeners_when_there_are_no_tables_then_there_are_none(tmp_path: Path) -> None:
    assert foreign_listeners(tmp_path) == ()


LISTENING = """
import json, socket
from sentinel.drill.place.listeners import foreign_listeners
with socket.create_server(("127.0.0.1", 1001)), socket.create_server(("0.0.0.0", 1002)):
    with socket.create_server(("::", 1003), family=socket.AF_INET6), socket.create_server(("::1", 1004), family=10):
        during = foreign_listeners()
print(json.dumps([during, foreign_listeners()]))
"""


@pytest.mark.namespace
def test_foreign_listeners_when_programs_listen_here_then_those_on_every_address_are_named() -> None:
    assert within(LISTENING) == [[["tcp", 1002], ["tcp", 1003]], []]
