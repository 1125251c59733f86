"""Witnesses of pings: when the kernel received each echo reply of a host, and how long each took at a device."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Iterator

SO_TIMESTAMPNS = 35  # asm-generic/socket.h; the module `socket` has no name for it
ECHO_REPLY, ECHO_REQUEST = 0, 8
ALL_PROTOCOLS, ICMP = 3, 1
TIMESPEC = struct.Struct("@qq")


def read_echo(packet: bytes, ancillary: list[tuple[int, int, bytes]]) -> int | None:
    """When an echo reply was received, in nanoseconds since the Unix epoch; None for any other packet."""
    header = (packet[0] & 0x0F) * 4
    return read_stamp(ancillary) if packet[header] == ECHO_REPLY else None


def read_stamp(ancillary: list[tuple[int, int, bytes]]) -> int | None:
    """When the kernel had a packet, in nanoseconds since the Unix epoch; None if it does not say."""
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


class Tap:
    """Listens at a device of this namespace from now on: IPv4 echoes, by the kernel's times."""

    def __init__(self, device: str) -> None:
        self._socket = socket.socket(
            socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, socket.ntohs(ALL_PROTOCOLS)
        )
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind((device, 0))

    def measure(self) -> dict[tuple[str, int], float]:
        """Return how many µs passed at the device between request and reply, by address and sequence, and close."""
        left: dict[tuple[str, int], int] = {}
        took: dict[tuple[str, int], float] = {}
        with self._socket, contextlib.suppress(BlockingIOError):
            while True:
                packet, ancillary, _flags, _sender = self._socket.recvmsg(2048, 64)
                kind, (sequence,) = packet[20], struct.unpack("!H", packet[26:28])
                host = socket.inet_ntoa(packet[16:20] if kind == ECHO_REQUEST else packet[12:16])
                at = read_stamp(ancillary)
                if packet[9] != ICMP or at is None:
                    continue
                if kind == ECHO_REQUEST:
                    left[host, sequence] = at
                elif kind == ECHO_REPLY and (host, sequence) in left:
                    took[host, sequence] = (at - left[host, sequence]) / 1000
        return took
