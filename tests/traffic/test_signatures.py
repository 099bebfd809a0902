from __future__ import annotations

import base64
import json

import pytest

from sentinel.model.flow import FlowClass
from sentinel.traffic.messages import Message
from sentinel.traffic.signatures import Transport, basic_login, read_sign
from tests.traffic.build import XMR_WALLET, connection, hunt_packets, line, only

HASH = "0x" + "5e" * 32
TARGET = "0x00000000" + "f" * 56
ZEC = "t1" + "A" * 33


def sign_of(value: dict[str, object], transport: Transport = Transport.PLAIN):
    return read_sign(Message(value, json.dumps(value)), transport)


def call(method: str, params: object) -> dict[str, object]:
    return {"id": 1, "jsonrpc": "2.0", "method": method, "params": params}


@pytest.mark.parametrize(
    ("value", "family", "by_client", "certainty"),
    [
        (call("mining.subscribe", []), "stratum", True, 1.0),
        (call("mining.authorize", ["a", "b"]), "stratum", True, 1.0),
        (call("mining.submit", ["a", "b"]), "stratum", True, 1.0),
        (call("mining.configure", [["version-rolling"], {}]), "stratum", True, 1.0),
        (call("mining.extranonce.subscribe", []), "stratum", True, 1.0),
        (call("mining.hello", {"agent": "x", "proto": "EthereumStratum/2.0.0"}), "stratum", True, 1.0),
        (call("mining.notify", []), "stratum", False, 1.0),
        (call("mining.set_difficulty", [1]), "stratum", False, 1.0),
        (call("mining.set_extranonce", ["a", 4]), "stratum", False, 1.0),
        (call("mining.other", []), "stratum", True, 0.6),
        ({"id": 1, "result": [[["mining.notify", "1"]], "08", 4]}, "stratum", False, 1.0),
        ({"id": 1, "result": [["mining.notify", "a", "EthereumStratum/1.0.0"], "080c"]}, "stratum", False, 1.0),
        (call("eth_submitLogin", ["0x1"]), "ethproxy", True, 1.0),
        (call("eth_submitWork", ["0x1"]), "ethproxy", True, 1.0),
        (call("eth_submitHashrate", ["0x1"]), "ethproxy", True, 1.0),
        (call("eth_getWork", []), "ethproxy", True, 0.95),
        ({"id": 0, "result": [HASH, HASH, TARGET]}, "ethproxy", False, 0.9),
        ({"id": 0, "result": [HASH, HASH, TARGET, "0x1"]}, "ethproxy", False, 0.9),
        (call("login", {"login": "w", "pass": "x", "agent": "XMRig"}), "cryptonote", True, 1.0),
        (call("login", {"login": "w", "pass": "x", "algo": ["rx/0"]}), "cryptonote", True, 1.0),
        (call("login", {"login": XMR_WALLET, "pass": "x"}), "cryptonote", True, 0.95),
        (call("login", {"login": "w", "pass": "x"}), "cryptonote", True, 0.2),
        (call("submit", {"job_id": "1", "nonce": "0a", "result": "00"}), "cryptonote", True, 1.0),
        (call("job", {"blob": "0a0a", "job_id": "1", "target": "ff"}), "cryptonote", False, 1.0),
        (call("keepalived", {"id": "1"}), "cryptonote", True, 0.9),
        ({"id": 1, "result": {"status": "KEEPALIVED"}}, "cryptonote", False, 0.9),
        ({"id": 1, "result": {"id": "1", "job": {"blob": "0a", "job_id": 1, "target": "f"}}}, "cryptonote", False, 1.0),
        ({"id": 1, "result": {"blob": "0a", "job_id": "1", "target": "f"}}, "cryptonote", False, 1.0),
        (call("getwork", []), "getwork", True, 0.95),
        ({"id": 1, "result": {"data": "0" * 256, "target": "f" * 64}}, "getwork", False, 0.95),
        (call("getblocktemplate", [{}]), "getblocktemplate", True, 0.9),
        (call("submitblock", ["0a" * 100]), "getblocktemplate", True, 0.9),
        ({"result": {"previousblockhash": "0", "bits": "1", "coinbasetxn": {}}}, "getblocktemplate", False, 0.9),
        ({"result": {"blocktemplate_blob": "0", "blockhashing_blob": "1"}}, "getblocktemplate", False, 0.9),
    ],
)
def test_read_sign_when_mining_is_spoken_tells_family_and_side(value, family, by_client, certainty):
    sign = sign_of(value)
    assert sign is not None
    assert (sign.family, sign.by_client, sign.certainty) == (family, by_client, certainty)


@pytest.mark.parametrize(
    ("value", "by_client", "certainty"),
    [
        ({"type": "auth", "params": {"site_key": "K" * 32, "type": "anonymous"}}, True, 1.0),
        ({"type": "authed", "params": {"token": "", "hashes": 0}}, False, 0.9),
        ({"type": "job", "params": {"job_id": "1", "blob": "0a", "target": "ff"}}, False, 1.0),
        ({"type": "submit", "params": {"job_id": "1", "nonce": "0a", "result": "ff"}}, True, 1.0),
        ({"type": "hash_accepted", "params": {"hashes": 256}}, False, 0.9),
        ({"identifier": "handshake", "pool": "p", "login": "w" * 20, "password": "x"}, True, 1.0),
        ({"identifier": "job", "job_id": "1", "blob": "0a", "target": "ff"}, False, 1.0),
        ({"identifier": "solved", "job_id": "1", "nonce": "0a", "result": "ff"}, True, 1.0),
        (call("mining.subscribe", []), True, 1.0),
    ],
)
def test_read_sign_when_a_browser_mines_tells_the_side(value, by_client, certainty):
    sign = sign_of(value, Transport.WEBSOCKET)
    assert sign is not None
    assert (sign.family, sign.by_client, sign.certainty) == ("websocket", by_client, certainty)


HARMLESS = [
    call("call", {"service": "common", "method": "login", "args": ["db", "admin", "admin"]}),
    call("user.login", {"user": "Admin", "password": "zabbix"}),
    call("login", {"username": "u", "password": "p"}),
    call("login", ["root", "secret"]),
    call("login", {"login": "admin"}),
    call("login", {"login": "admin", "pass": 5}),
    call("server.version", ["Electrum", "1.4"]),
    call("blockchain.scripthash.subscribe", ["ab" * 32]),
    call("blockchain.transaction.broadcast", ["0a" * 100]),
    call("eth_getBalance", ["0x" + "ab" * 20, "latest"]),
    call("eth_subscribe", ["newHeads"]),
    call("eth_sendRawTransaction", ["0x" + "ab" * 100]),
    call("eth_coinbase", []),
    call("initialize", {"processId": 1, "rootUri": None, "capabilities": {}}),
    call("textDocument/completion", {"position": {"line": 1}}),
    {"method": "session-get", "tag": 1, "arguments": {}},
    {"result": "success", "arguments": {"torrents": []}},
    call("job", {"job_id": "1", "state": "done"}),
    call("job", {"blob": "not hex", "job_id": "1", "target": "x"}),
    call("submit", {"form": "x", "nonce": "1"}),
    call("submit", {"job_id": 5, "nonce": "wp-nonce"}),
    call("keepalived", []),
    call("getwork", {"queue": "mail"}),
    call("submitblock", ["text"]),
    {"id": 1, "result": True, "error": None},
    {"id": 1, "result": None, "error": [20, "Parse error", None]},
    {"id": 1, "result": {"status": "OK"}},
    {"id": 1, "result": [HASH, HASH, HASH]},
    {"id": 1, "result": [HASH, HASH]},
    {"id": 1, "result": ["mining.notify"]},
    {"id": 1, "result": {"bits": "1", "previousblockhash": "0"}},
    {"type": "auth", "params": {"token": "x"}},
    {"type": "submit", "params": {"form": 1}},
    {"method": 5, "params": []},
    {},
]


@pytest.mark.parametrize("value", HARMLESS)
@pytest.mark.parametrize("transport", Transport)
def test_read_sign_when_others_speak_is_silent(value, transport):
    assert sign_of(value, transport) is None


@pytest.mark.parametrize("value", [call("login", {"login": "w", "pass": "x", "agent": "browser"})])
def test_read_sign_when_a_login_comes_over_http_is_silent(value):
    assert sign_of(value, Transport.HTTP) is None


def test_read_sign_when_browser_messages_come_without_websocket_is_silent():
    assert sign_of({"type": "auth", "params": {"site_key": "K" * 32}}) is None


@pytest.mark.parametrize(
    ("value", "coin", "wallet", "agent"),
    [
        (call("login", {"login": XMR_WALLET + ".rig", "pass": "x"}), "XMR", "4AAA…bbbb", ""),
        (call("login", {"login": "w", "pass": "x", "agent": "a/1", "algo": ["kawpow"]}), "RVN", "…", "a/1"),
        (call("login", {"login": "w", "pass": "x", "agent": "a/1", "algo": ["rx/0", "cn/r"]}), "", "…", "a/1"),
        (call("job", {"blob": "0a", "job_id": "1", "target": "f", "seed_hash": "5e"}), "XMR", "", ""),
        (call("job", {"blob": "0a", "job_id": "1", "target": "f", "algo": "rx/wow"}), "WOW", "", ""),
        (call("mining.authorize", [ZEC + ".rig", "x"]), "ZEC", "t1AA…AAAA", ""),
        (call("mining.authorize", ["1" + "B" * 33, "x"]), "BTC", "1BBB…BBBB", ""),
        (call("mining.authorize", ["bc1q" + "x" * 38, "x"]), "BTC", "bc1q…xxxx", ""),
        (call("mining.authorize", ["ltc1q" + "x" * 38, "x"]), "LTC", "ltc1…xxxx", ""),
        (call("mining.authorize", ["kaspa:q" + "x" * 60, "x"]), "KAS", "qxxx…xxxx", ""),
        (call("mining.authorize", ["student01", "x"]), "", "st…", ""),
        (call("mining.submit", ["0x" + "ab" * 20 + "/rig", "1"]), "ETH", "0xab…abab", ""),
        (call("mining.notify", ["1", "04000000", "5e"]), "ZEC", "", ""),
        (call("eth_submitLogin", ["0x" + "ab" * 20, "x"]), "ETH", "0xab…abab", ""),
        (call("getblocktemplate", {"wallet_address": XMR_WALLET}), "XMR", "4AAA…bbbb", ""),
        (call("mining.subscribe", ["cgminer/4", None, "host", "3333"]), "", "", "cgminer/4"),
        (call("mining.hello", {"agent": "lolMiner"}), "", "", "lolMiner"),
    ],
)
def test_read_sign_when_details_are_said_keeps_them_masked(value, coin, wallet, agent):
    sign = sign_of(value)
    assert sign is not None
    assert (sign.coin, sign.wallet, sign.agent) == (coin, wallet, agent)


def test_evidence_when_secrets_are_escaped_or_elsewhere_masks_them():
    escaped = "\\u0034" + XMR_WALLET[1:]
    text = (
        f'{{"method":"login","params":{{"login":"{escaped}","pass":"pa\\u0073s","agent":"a"}},"note":"{XMR_WALLET}"}}'
    )
    sign = read_sign(Message(json.loads(text), text), Transport.PLAIN)
    assert sign is not None
    assert XMR_WALLET[1:] not in sign.text
    assert "pa\\u0073s" not in sign.text
    assert sign.text.count("4AAA…bbbb") == 2


def test_evidence_when_it_is_long_or_unprintable_is_cut_and_shown():
    sign = sign_of(call("mining.submit", ["w\x07\x1b[31m", "x" * 1000]))
    assert sign is not None
    assert len(sign.text) == 300
    assert sign.text.isprintable()


@pytest.mark.parametrize(
    ("header", "login"),
    [
        ("Basic " + base64.b64encode(b"worker:secret").decode(), "worker"),
        ("basic " + base64.b64encode(b"worker").decode(), "worker"),
        ("Basic not base64!", ""),
        ("Bearer abc", ""),
        ("", ""),
    ],
)
def test_basic_login_gives_the_user(header, login):
    assert basic_login(header) == login


def test_flow_when_only_a_bare_login_is_seen_is_silent(tmp_path):
    turns = [
        ("c", line(call("login", {"login": "bob", "pass": "x"}))),
        ("s", line({"id": 1, "result": {"token": "a"}})),
    ]
    assert hunt_packets(tmp_path, connection(turns)) == []


def test_flow_when_the_answer_proves_a_bare_login_is_mining(tmp_path):
    job = {"id": 1, "result": {"id": "1", "job": {"blob": "0a", "job_id": "1", "target": "f", "algo": "rx/0"}}}
    turns = [("c", line(call("login", {"login": "worker", "pass": "x"}))), ("s", line(job))]
    found = only(hunt_packets(tmp_path, connection(turns)))
    assert (found.flow_class, found.certainty, found.coin, found.wallet) == (FlowClass.MINING, 1.0, "XMR", "wo…")


@pytest.mark.parametrize("value", HARMLESS)
def test_flow_when_others_speak_is_silent(tmp_path, value):
    assert hunt_packets(tmp_path, connection([("c", line(value)), ("s", line(value))])) == []
