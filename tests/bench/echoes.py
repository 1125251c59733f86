"""A witness beside both applications: when the kernel received each echo reply of a host."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Iterator

SO_TIMESTAMPNS = 35  # asm-generic/socket.h; the module `socket` has no name for it
ECHO_REPLY = 0
TIMESPEC = struct.Struct("@qq")


def read_echo(packet: bytes, ancillary: list[tuple[int, int, bytes]]) -> int | None:
    """When an echo reply was received, in nanoseconds since the Unix epoch; None for any other packet."""
    header = (packet[0] & 0x0F) * 4
    if packet[header] != ECHO_REPLY:
        return None
    for level, kind, value in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanoseconds = TIMESPEC.unpack_from(value)
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    return None


@contextlib.contextmanager
def witness(host: str) -> Iterator[list[int] | None]:
    """A list that fills with the arrivals of the host's echo replies; None where that is forbidden."""
    try:
        ears = socket.socket(socket.AF_INET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.IPPROTO_ICMP)
    except PermissionError:
        yield None
        return
    with ears:
        ears.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        heard: list[int] = []

        def hear() -> None:
            packet, ancillary, _flags, (source, _port) = ears.recvmsg(2048, 64)
            received_at = read_echo(packet, ancillary)
            if received_at is not None and source == host:
                heard.append(received_at)

        loop = asyncio.get_running_loop()
        loop.add_reader(ears, hear)
        try:
            yield heard
        finally:
            loop.remove_reader(ears)
