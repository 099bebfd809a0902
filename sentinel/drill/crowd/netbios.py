"""The NetBIOS session port that every Windows shows beside its SMB port."""

from __future__ import annotations

import struct

from sentinel.drill.servers.conversation import Conversation, Seen, Service

_SESSION_REQUEST, _NEGATIVE = 0x81, 0x83
_CALLED_NAME_ABSENT, _UNSPECIFIED = 0x82, 0x8F


def netbios_session(port: int) -> Service:
    """Build the NetBIOS session service of a Windows; it knows no name. Source: RFC 1002 section 4.3."""

    async def talk(conversation: Conversation) -> None:
        kind, flags, size = struct.unpack(">BBH", await conversation.exactly(4))
        await conversation.exactly(size | (flags & 1) << 16)
        reason = _CALLED_NAME_ABSENT if kind == _SESSION_REQUEST else _UNSPECIFIED
        conversation.say(struct.pack(">BBHB", _NEGATIVE, 0, 1, reason))

    return Service(port, talk, Seen("netbios-ssn", "Microsoft Windows netbios-ssn"), weaknesses=("exposure.smb",))
