"""What the kernel lets through to a raw ICMP socket: answers to our id; nothing else wakes us."""

import ctypes
import socket
from struct import pack

from monitor.ping.icmp import REDIRECT, REPLY, V4

SO_ATTACH_FILTER = 26
# Opcodes of the classic packet filter, linux/filter.h.
LOAD_BYTE_AT_X, LOAD_HALF_AT_X, LOAD_HEADER_LENGTH, SET_X = 0x50, 0x48, 0xB1, 0x01
JUMP_IF_EQUAL, RETURN = 0x15, 0x06
ALL, NOTHING = 0xFFFFFFFF, 0

Instruction = tuple[int, int, int, int]


def filter_answers(opened: socket.socket, ident: int) -> None:
    """Let only echo replies with this id, and redirects of IPv4, into a raw socket."""
    program = b"".join(pack("@HBBI", *instruction) for instruction in build_filter(opened.family, ident))
    buffer = ctypes.create_string_buffer(program)
    description = pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    opened.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, description)


def build_filter(family: int, ident: int) -> list[Instruction]:
    """Return the filter's instructions: code, jump if true, jump if false, operand."""
    # A raw IPv4 socket sees the IP header, a raw IPv6 socket begins at the ICMP message.
    start: Instruction = (LOAD_HEADER_LENGTH, 0, 0, 0) if family == V4 else (SET_X, 0, 0, 0)
    return [
        start,
        (LOAD_BYTE_AT_X, 0, 0, 0),
        (JUMP_IF_EQUAL, 0, 2, REPLY[family]),
        (LOAD_HALF_AT_X, 0, 0, 4),
        (JUMP_IF_EQUAL, 2, 1, ident),
        (JUMP_IF_EQUAL, 1, 0, REDIRECT if family == V4 else REPLY[family]),
        (RETURN, 0, 0, NOTHING),
        (RETURN, 0, 0, ALL),
    ]
