"""Bytes of an echo request and of every answer to it, for IPv4 and IPv6; no input or output."""

import socket
from struct import Struct, pack
from typing import NamedTuple

from monitor.ping.reply import Status

HEADER = Struct("!BBHHH")
TOKEN_SIZE = 8
MAX_SIZE = 65_507 - HEADER.size
PATTERN = bytes(range(0x10, 0x100)) * 274

# Plain numbers: to hash a member of an enumeration takes longer than to build a packet.
V4, V6 = int(socket.AF_INET), int(socket.AF_INET6)
REQUEST = {V4: 8, V6: 128}
REPLY = {V4: 0, V6: 129}
REDIRECT = 5
IP_HEADER_SIZE = 20

ERRORS_V4: dict[int, dict[int, Status]] = {
    3: {
        0: Status.NET_UNREACHABLE,
        1: Status.HOST_UNREACHABLE,
        2: Status.PROTOCOL_UNREACHABLE,
        3: Status.PORT_UNREACHABLE,
        4: Status.TOO_BIG,
        6: Status.NET_UNREACHABLE,
        7: Status.HOST_UNREACHABLE,
        9: Status.PROHIBITED,
        10: Status.PROHIBITED,
        11: Status.NET_UNREACHABLE,
        12: Status.HOST_UNREACHABLE,
        13: Status.PROHIBITED,
        14: Status.PROHIBITED,
        15: Status.PROHIBITED,
    },
    5: dict.fromkeys(range(4), Status.REDIRECT),
    11: {0: Status.TIME_EXCEEDED, 1: Status.TIME_EXCEEDED},
    12: {},
}
ERRORS_V6: dict[int, dict[int, Status]] = {
    1: {
        0: Status.NET_UNREACHABLE,
        1: Status.PROHIBITED,
        3: Status.HOST_UNREACHABLE,
        4: Status.PORT_UNREACHABLE,
        5: Status.PROHIBITED,
        6: Status.PROHIBITED,
    },
    2: {0: Status.TOO_BIG},
    3: {0: Status.TIME_EXCEEDED, 1: Status.TIME_EXCEEDED},
    4: {1: Status.PROTOCOL_UNREACHABLE},
}
ERRORS = {V4: ERRORS_V4, V6: ERRORS_V6}


class Answer(NamedTuple):
    """What a message says: a reply, or an error with what it quotes of the request.

    The `payload` of a quote may be cut short by whoever quoted it; its `destination` is where the quoted
    request went to, packed, None for a reply.
    """

    status: Status
    ident: int
    sequence: int
    payload: bytes
    destination: bytes | None = None


def checksum(data: bytes) -> int:
    """Return the Internet checksum of `data`; over a message that carries its own it is 0."""
    # 2**16 leaves the remainder 1 by 0xFFFF, so the remainder of the whole number is the sum of its words.
    return 0xFFFF - (int.from_bytes(data if len(data) % 2 == 0 else data + b"\0") % 0xFFFF or 0xFFFF)


def build_echo(family: int, ident: int, sequence: int, payload: bytes) -> bytes:
    """Return an echo request without a checksum."""
    return HEADER.pack(REQUEST[family], 0, 0, ident, sequence) + payload


def seal(message: bytes) -> bytes:
    """Return the message with its checksum."""
    return message[:2] + pack("!H", checksum(message)) + message[4:]


def strip_header(packet: bytes) -> bytes:
    """Return what an IPv4 packet carries, nothing if it is malformed."""
    length = (packet[0] & 15) * 4 if packet and packet[0] >> 4 == 4 else 0
    return packet[length:] if length >= 20 else b""


def parse_answer(family: int, message: bytes) -> Answer | None:
    """Read an ICMP message; None if it is malformed or neither an echo reply nor a redirect of IPv4.

    All other errors come from the socket's error queue, which knows the request that they quote.
    """
    if len(message) < HEADER.size:
        return None
    kind, code, _, ident, sequence = HEADER.unpack_from(message)
    if code == 0 and kind == REPLY[family]:
        return Answer(Status.REPLY, ident, sequence, message[8:])
    if family == V4 and kind == REDIRECT and len(quoted := message[8:]) >= IP_HEADER_SIZE:
        return parse_quote(V4, strip_header(quoted), Status.REDIRECT, quoted[16:20])
    return None


def error_status(family: int, kind: int, code: int) -> Status | None:
    """Return what an ICMP error of this type and code means, None if it is no error."""
    codes = ERRORS[family].get(kind)
    return None if codes is None else codes.get(code, Status.UNREACHABLE)


def parse_quote(family: int, message: bytes, status: Status, destination: bytes) -> Answer | None:
    """Read our own echo request, as an error quotes it back to us."""
    if len(message) < HEADER.size or message[0] != REQUEST[family] or message[1] != 0:
        return None
    _, _, _, ident, sequence = HEADER.unpack_from(message)
    return Answer(status, ident, sequence, message[8:], destination)
