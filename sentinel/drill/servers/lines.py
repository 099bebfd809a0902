"""Line-by-line servers of the practice school: FTP, telnet, mail, RTSP, and the first steps of SSH."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable

from sentinel.drill.servers.conversation import Conversation, Seen, Service, Talk

_OLD_ALGORITHMS = (
    b"diffie-hellman-group-exchange-sha1,diffie-hellman-group14-sha1,diffie-hellman-group1-sha1",
    b"ssh-rsa,ssh-dss",
    b"aes128-ctr,arcfour256,aes128-cbc,3des-cbc,arcfour",
    b"hmac-md5,hmac-sha1,hmac-sha1-96",
)
_NEW_ALGORITHMS = (
    b"curve25519-sha256,ecdh-sha2-nistp256,diffie-hellman-group16-sha512",
    b"ssh-ed25519,rsa-sha2-512",
    b"chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-ctr",
    b"hmac-sha2-256-etm@openssh.com,hmac-sha2-256",
)
_SSH_DISCONNECT, _SSH_KEXINIT = 1, 20
_COMMANDS_PER_SESSION = 100


def _ssh_packet(payload: bytes) -> bytes:
    padding = 8 - (len(payload) + 5) % 8
    padding += 8 if padding < 4 else 0
    return struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)


def _ssh_string(text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + text


def _key_exchange_start(algorithms: tuple[bytes, bytes, bytes, bytes]) -> bytes:
    """Write the KEXINIT packet. Source: RFC 4253 section 7.1."""
    exchange, host_key, cipher, digest = algorithms
    lists = (exchange, host_key, cipher, cipher, digest, digest, b"none", b"none", b"", b"")
    names = b"".join(_ssh_string(names) for names in lists)
    return _ssh_packet(bytes([_SSH_KEXINIT]) + os.urandom(16) + names + bytes(5))


def ssh(port: int, banner: str, version: str, old: bool) -> Service:
    """Build an SSH server that greets, names its algorithms, and ends the talk when the key exchange would begin."""
    start = _key_exchange_start(_OLD_ALGORITHMS if old else _NEW_ALGORITHMS)

    async def talk(conversation: Conversation) -> None:
        conversation.say(f"SSH-2.0-{banner}\r\n".encode())
        if not (await conversation.line()).startswith(b"SSH-"):
            conversation.say(b"Protocol mismatch.\n")
            return
        conversation.say(start)
        for _ in range(2):
            (size,) = struct.unpack(">I", await conversation.exactly(4))
            packet = await conversation.exactly(size)
            if len(packet) < 2 or packet[1] != _SSH_KEXINIT:
                break
        reason = (
            bytes([_SSH_DISCONNECT]) + struct.pack(">I", 3) + _ssh_string(b"key exchange failed") + _ssh_string(b"")
        )
        conversation.say(_ssh_packet(reason))

    weaknesses = ("exposure.eol-openssh",) if old else ()
    return Service(port, talk, Seen("ssh", "OpenSSH", version), weaknesses=weaknesses)


def _dialogue(greeting: bytes, answer: Callable[[str, str], bytes], last: tuple[str, ...]) -> Talk:
    """Build a conversation of command lines; the commands in `last` end it."""

    async def talk(conversation: Conversation) -> None:
        conversation.say(greeting)
        for _ in range(_COMMANDS_PER_SESSION):
            words = (await conversation.line()).decode("latin-1").split(" ", 1)
            command = words[0].upper()
            conversation.say(answer(command, words[1] if len(words) > 1 else ""))
            if command in last:
                return

    return talk


def ftp(port: int, version: str) -> Service:
    """Build an FTP server that asks for a login in clear text and lets nobody in."""
    answers = {
        "USER": b"331 Please specify the password.\r\n",
        "PASS": b"530 Login incorrect.\r\n",
        "QUIT": b"221 Goodbye.\r\n",
        "FEAT": b"211-Features:\r\n PASV\r\n UTF8\r\n211 End\r\n",
        "OPTS": b"200 Always in UTF8 mode.\r\n",
    }

    def answer(command: str, _rest: str) -> bytes:
        return answers.get(command, b"530 Please login with USER and PASS.\r\n")

    talk = _dialogue(f"220 (vsFTPd {version})\r\n".encode(), answer, ("QUIT",))
    # The release whose packages were once tampered with; this server only bears its name.
    tampered = ("exposure.vsftpd-backdoor",) if version == "2.3.4" else ()
    return Service(port, talk, Seen("ftp", "vsftpd", version), weaknesses=("exposure.ftp", *tampered))


def windows_ftp(port: int) -> Service:
    """Build the FTP server of a Windows; the nameless are turned away like everybody else."""
    answers = {
        "USER": b"331 Password required.\r\n",
        "PASS": b"530 User cannot log in.\r\n",
        "QUIT": b"221 Goodbye.\r\n",
        "SYST": b"215 Windows_NT\r\n",
    }

    def answer(command: str, _rest: str) -> bytes:
        return answers.get(command, b"530 Please login with USER and PASS.\r\n")

    talk = _dialogue(b"220 Microsoft FTP Service\r\n", answer, ("QUIT",))
    return Service(port, talk, Seen("ftp", "Microsoft ftpd"), weaknesses=("exposure.ftp",))


def smtp(port: int, host: str) -> Service:
    """Build a mail server that takes mail for nobody (no relay)."""
    answers = {
        "HELO": f"250 {host}\r\n",
        "EHLO": f"250-{host}\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250 8BITMIME\r\n",
        "MAIL": "250 2.1.0 Ok\r\n",
        "RCPT": "554 5.7.1 Relay access denied\r\n",
        "DATA": "554 5.5.1 Error: no valid recipients\r\n",
        "RSET": "250 2.0.0 Ok\r\n",
        "NOOP": "250 2.0.0 Ok\r\n",
        "QUIT": "221 2.0.0 Bye\r\n",
    }

    def answer(command: str, _rest: str) -> bytes:
        return answers.get(command, "502 5.5.2 Error: command not recognized\r\n").encode()

    talk = _dialogue(f"220 {host} ESMTP Postfix\r\n".encode(), answer, ("QUIT",))
    return Service(port, talk, Seen("smtp", "Postfix smtpd"))


def pop3(port: int) -> Service:
    """Build a POP3 server with login in clear text."""
    answers = {
        "CAPA": b"+OK\r\nCAPA\r\nTOP\r\nUIDL\r\nUSER\r\nSASL PLAIN\r\n.\r\n",
        "USER": b"+OK\r\n",
        "PASS": b"-ERR [AUTH] Authentication failed.\r\n",
        "QUIT": b"+OK Logging out\r\n",
    }

    def answer(command: str, _rest: str) -> bytes:
        return answers.get(command, b"-ERR Unknown command.\r\n")

    talk = _dialogue(b"+OK Dovecot ready.\r\n", answer, ("QUIT",))
    return Service(port, talk, Seen("pop3", "Dovecot pop3d"), weaknesses=("exposure.mail-plain",))


def imap(port: int) -> Service:
    """Build an IMAP server with login in clear text."""
    capability = "CAPABILITY IMAP4rev1 LITERAL+ SASL-IR LOGIN-REFERRALS ID ENABLE IDLE AUTH=PLAIN"

    async def talk(conversation: Conversation) -> None:
        conversation.say(f"* OK [{capability}] Dovecot ready.\r\n".encode())
        for _ in range(_COMMANDS_PER_SESSION):
            tag, _, rest = (await conversation.line()).decode("latin-1").partition(" ")
            command = rest.split(" ", 1)[0].upper()
            if command == "LOGOUT":
                conversation.say(f"* BYE Logging out\r\n{tag} OK Logout completed.\r\n".encode("latin-1"))
                return
            answer = {
                "CAPABILITY": f"* {capability}\r\n{tag} OK Capability completed.\r\n",
                "NOOP": f"{tag} OK NOOP completed.\r\n",
                "LOGIN": f"{tag} NO [AUTHENTICATIONFAILED] Authentication failed.\r\n",
            }.get(command, f"{tag or '*'} BAD Error in IMAP command received by server.\r\n")
            conversation.say(answer.encode("latin-1"))

    return Service(port, talk, Seen("imap", "Dovecot imapd"), weaknesses=("exposure.mail-plain",))


_SHELL_OPTIONS = b"\xff\xfb\x01\xff\xfb\x01\xff\xfb\x01\xff\xfb\x03\xff\xfd\x18\xff\xfd\x1f"
_SWITCHES = {
    "H3C": (
        b"* Copyright (c) 2004-2014 Hangzhou H3C Tech. Co., Ltd. All rights reserved.  *\r\n",
        "H3C switch telnetd",
    ),
    "Huawei": (
        b"* Copyright (c) 1998-2006 Huawei Technologies Co., Ltd. All rights reserved *\r\n",
        "Huawei Quidway s8500 switch telnetd",
    ),
}


def telnet(port: int, maker: str = "H3C") -> Service:
    """Build the command line of a switch: it asks for name and password three times and lets nobody in."""
    owner, product = _SWITCHES[maker]
    stars = b"*" * (len(owner) - 2)
    notice = (
        b"* Without the owner's prior written consent,                                 *\r\n"
        b"* no decompiling or reverse-engineering shall be allowed.                    *\r\n"
    )
    box = stars + b"\r\n" + owner + notice + stars
    greeting = _SHELL_OPTIONS + b"\r\n" + box + b"\r\n\r\n\r\nLogin authentication\r\n\r\n\r\n"

    async def talk(conversation: Conversation) -> None:
        conversation.say(greeting)
        for _ in range(3):
            conversation.say(b"Username:")
            await conversation.line()
            conversation.say(b"Password:")
            await conversation.line()
            conversation.say(b"\r\n% Login failed!\r\n\r\n")

    return Service(port, talk, Seen("telnet", product), weaknesses=("exposure.telnet",))


def rtsp(port: int) -> Service:
    """Build the video port of a camera; it wants a login for everything."""
    nonce = os.urandom(16).hex()
    refusal = (
        f'WWW-Authenticate: Digest realm="Hikvision", nonce="{nonce}", stale="FALSE"\r\n'
        'WWW-Authenticate: Basic realm="/"\r\n\r\n'
    )

    async def talk(conversation: Conversation) -> None:
        for _ in range(_COMMANDS_PER_SESSION):
            head = (await conversation.until(b"\r\n\r\n")).decode("latin-1").lstrip("\r\n")
            lines = head.split("\r\n")
            if not lines[0].endswith(" RTSP/1.0"):
                conversation.say(b"RTSP/1.0 400 Bad Request\r\n\r\n")
                return
            sequence = next((f"{line}\r\n" for line in lines if line.lower().startswith("cseq:")), "")
            if sequence and lines[0].startswith("OPTIONS "):
                conversation.say(f"RTSP/1.0 200 OK\r\n{sequence}Public: OPTIONS, DESCRIBE\r\n\r\n".encode("latin-1"))
            else:
                conversation.say(f"RTSP/1.0 401 Unauthorized\r\n{sequence}{refusal}".encode("latin-1"))

    return Service(port, talk, Seen("rtsp", "Hikvision DVR rtspd"), weaknesses=("exposure.rtsp",))
