"""One ICMP socket that all hosts of a family share: packets out, answers in, with the kernel's times."""

import contextlib
import errno
import random
import socket
from collections.abc import Iterator
from struct import Struct, pack
from time import monotonic_ns
from typing import NamedTuple

from monitor.ping.filter import filter_answers
from monitor.ping.icmp import (
    HEADER,
    REPLY,
    REQUEST,
    V4,
    V6,
    checksum,
    error_status,
    parse_answer,
    parse_quote,
    seal,
    strip_header,
)
from monitor.ping.reply import REPLY as ANSWERED
from monitor.ping.reply import Status
from monitor.ping.target import Target

# Linux's numbers, which Python 3.11 does not name.
IP_PKTINFO, IP_MTU_DISCOVER, IP_RECVERR, IP_RECVTTL = 8, 10, 11, 12
IPV6_MTU_DISCOVER, IPV6_RECVERR = 23, 25
SO_RCVBUFFORCE, SO_TIMESTAMPNS, SO_RXQ_OVFL = 33, 35, 40
PMTUDISC_WANT, PMTUDISC_DO = 1, 2
MTU_DISCOVER = {V4: (socket.IPPROTO_IP, IP_MTU_DISCOVER), V6: (socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER)}
PROTOCOL = {V4: socket.IPPROTO_ICMP, V6: socket.IPPROTO_ICMPV6}

read_time, read_number = Struct("@ll").unpack, Struct("@I").unpack
read_header, pack_header = HEADER.unpack_from, HEADER.pack
# A named tuple by its own constructor takes three times as long.
make_tuple = tuple.__new__
EXTENDED_ERROR = Struct("=IBBBxII")
ORIGIN_ICMP = {V4: 2, V6: 3}
OFFENDER = {V4: slice(20, 24), V6: slice(24, 40)}

BUFFER_SIZE = 4 << 20
CONTROL_SIZE = 256
HEADROOM = 128
READS = 256
FULL = {errno.EAGAIN, errno.ENOBUFS}
REFUSALS = {
    errno.ENETUNREACH: Status.NO_ROUTE,
    errno.EHOSTUNREACH: Status.NO_ROUTE,
    errno.ENETDOWN: Status.NO_ROUTE,
    errno.EADDRNOTAVAIL: Status.NO_ROUTE,
    errno.EPERM: Status.BLOCKED,
    errno.EACCES: Status.BLOCKED,
    errno.EMSGSIZE: Status.TOO_BIG,
}


Control = list[tuple[int, int, bytes]]


class Arrival(NamedTuple):
    """An answer as it came in: what it says, as `Answer` has it, then from whom, with which TTL, and when.

    `received_at` is of the real clock (ns), 0 if the kernel did not say; `size` counts ICMP bytes.
    """

    status: Status
    ident: int
    sequence: int
    payload: bytes
    destination: str | None
    sender: str
    ttl: int | None
    received_at: int
    size: int


class Carrier:
    """A socket for the echo requests of one address family; `OSError` where it may not be opened.

    `ident` is the id that its packets carry; the kernel owns it where the socket is a datagram one.
    `dropped` counts the answers that the kernel had no room for.
    """

    def __init__(self, family: int, *, raw: bool) -> None:
        self.family = family
        self.dropped = 0
        self._raw = raw
        # A raw IPv4 socket sees the IP header, and the kernel looks after the checksum of nothing there.
        self._wrapped = raw and family == V4
        self._ttl_kind = socket.IPV6_HOPLIMIT if family == V6 else socket.IP_TTL
        self._error_kind = IPV6_RECVERR if family == V6 else IP_RECVERR
        self._room = 2048
        self._request, self._reply = REQUEST[family], REPLY[family]
        self._socket = open_socket(family, raw=raw)
        self._sendto = self._socket.sendto
        self._socket.setblocking(False)
        _enlarge_buffer(self._socket)
        self._ask_for_details()
        if raw:
            self.ident = random.randrange(1, 1 << 16)  # noqa: S311 - the token is the secret
            filter_answers(self._socket, self.ident)
        else:
            self._socket.bind(("::" if family == V6 else "", 0))
            self.ident = self._socket.getsockname()[1]

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def build(self, sequence: int, payload: bytes) -> bytes:
        """Return the packet that asks for an echo of `payload`."""
        message = pack_header(self._request, 0, 0, self.ident, sequence) + payload
        # Everywhere else the kernel adds the checksum, of IPv6 because it alone knows the source.
        return seal(message) if self._wrapped else message

    def send(self, target: Target, packet: bytes) -> int:
        """Hand a packet to the kernel and return when, by the monotonic clock (ns).

        `OSError` says why the kernel would not take it.
        """
        if len(packet) + HEADROOM > self._room:
            self._room = len(packet) + HEADROOM
        try:
            if not target.plain:
                return self._transmit(target, packet)
            address = target.address, 0
            # Nothing between the clock and the call: another thread could take its turn there.
            sent = monotonic_ns()
            self._sendto(packet, address)
            return sent
        except OSError as failure:
            if failure.errno in FULL or failure.errno == errno.EPERM:
                raise
        # An error that some router reported of another packet comes out of the next call, whichever that is,
        # and is cleared by that: only what is said again is about this packet.
        with contextlib.suppress(OSError):
            return self._transmit(target, packet)
        return self._transmit(target, packet)

    def receive(self) -> list[Arrival | None]:
        """Return the answers that have come in, at most some hundreds; None for one that makes no sense."""
        arrivals: list[Arrival | None] = []
        room, receive, read = self._room, self._socket.recvmsg, self._read
        for _ in range(READS):
            try:
                data, control, _, address = receive(room, CONTROL_SIZE)
            except BlockingIOError:
                break
            except OSError:
                continue
            arrivals.append(read(data, control, address[0]))
        return arrivals

    def receive_errors(self) -> Iterator[Arrival | None]:
        """Yield the errors that routers, or this machine, have reported of packets sent."""
        for _ in range(READS):
            try:
                quote, control, _, address = self._socket.recvmsg(self._room, CONTROL_SIZE, socket.MSG_ERRQUEUE)
            except OSError:
                return
            yield self._read_error(quote, {kind: value for _, kind, value in control}, address)

    def _ask_for_details(self) -> None:
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        # A raw IPv6 socket counts answers with a wrong checksum among the dropped ones: anybody could
        # send those, and so pass off lost packets as not measured.
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, not (self._raw and self.family == V6))
        # Besides the errors of routers this brings ENOBUFS, without which a full queue loses in silence.
        if self.family == V6:
            self._socket.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        else:
            self._socket.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
            self._socket.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)

    def _transmit(self, target: Target, packet: bytes) -> int:
        control = build_control(target)
        level, option = MTU_DISCOVER[self.family]
        if target.dont_fragment:
            self._socket.setsockopt(level, option, PMTUDISC_DO)
        try:
            sent = monotonic_ns()
            self._socket.sendmsg([packet], control, 0, (target.address, 0))
            return sent
        finally:
            if target.dont_fragment:
                self._socket.setsockopt(level, option, PMTUDISC_WANT)

    def _read(self, data: bytes, control: Control, sender: str) -> Arrival | None:
        ttl, received_at = None, 0
        for _, kind, value in control:
            if kind == SO_TIMESTAMPNS:
                seconds, nanoseconds = read_time(value)
                received_at = seconds * 1_000_000_000 + nanoseconds
            elif kind == self._ttl_kind:
                (ttl,) = read_number(value)
            elif kind == SO_RXQ_OVFL:
                (self.dropped,) = read_number(value)
        if self._wrapped:
            data = _unwrap(data)
        size = len(data)
        if size >= HEADER.size and data[0] == self._reply and data[1] == 0:
            _, _, _, ident, sequence = read_header(data)
            payload = data[HEADER.size :]
            return make_tuple(Arrival, (ANSWERED, ident, sequence, payload, None, sender, ttl, received_at, size))
        if (answer := parse_answer(self.family, data)) is None:
            return None
        return Arrival(*answer, sender, ttl, received_at, size)

    def _read_error(self, quote: bytes, details: dict[int, bytes], address: tuple[str, int]) -> Arrival | None:
        reported = details.get(self._error_kind, b"")
        if len(reported) < OFFENDER[self.family].stop:
            return None
        _, origin, kind, code, _, _ = EXTENDED_ERROR.unpack_from(reported)
        status = error_status(self.family, kind, code) if origin == ORIGIN_ICMP[self.family] else None
        if status is None or (answer := parse_quote(self.family, quote, status, address[0])) is None:
            return None
        offender = socket.inet_ntop(self.family, reported[OFFENDER[self.family]])
        return Arrival(*answer, offender, None, 0, len(quote))


def open_socket(family: int, *, raw: bool) -> socket.socket:
    """Open a bare ICMP socket; `OSError` where this process may not or the kernel cannot."""
    return socket.socket(family, socket.SOCK_RAW if raw else socket.SOCK_DGRAM, PROTOCOL[family])


def open_carriers(*, raw: bool) -> dict[int, Carrier]:
    """Open a socket for each address family that this machine has."""
    carriers = {}
    for family in (V4, V6):
        with contextlib.suppress(OSError):
            carriers[family] = Carrier(family, raw=raw)
    return carriers


def build_control(target: Target) -> Control:
    """Return the control messages with a packet's options; `OSError` if there is no such device."""
    level = socket.IPPROTO_IPV6 if target.family == V6 else socket.IPPROTO_IP
    control: Control = []
    if target.ttl is not None:
        kind = socket.IPV6_HOPLIMIT if target.family == V6 else socket.IP_TTL
        control.append((level, kind, pack("@i", target.ttl)))
    if target.dscp:
        kind = socket.IPV6_TCLASS if target.family == V6 else socket.IP_TOS
        control.append((level, kind, pack("@i", target.dscp << 2)))
    if target.source is not None or target.interface is not None:
        device = socket.if_nametoindex(target.interface) if target.interface else 0
        source = socket.inet_pton(target.family, target.source) if target.source else b""
        if target.family == V6:
            control.append((level, socket.IPV6_PKTINFO, pack("@16sI", source, device)))
        else:
            control.append((level, IP_PKTINFO, pack("@i4s4x", device, source)))
    return control


def _unwrap(packet: bytes) -> bytes:
    # The kernel has not looked at the checksum before a raw IPv4 socket sees the packet.
    message = strip_header(packet)
    return b"" if checksum(message) else message


def _enlarge_buffer(opened: socket.socket) -> None:
    try:
        opened.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_SIZE)
    except PermissionError:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_SIZE)
