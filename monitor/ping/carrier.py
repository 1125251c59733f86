"""One ICMP socket that all hosts of a family share: packets out, answers in, with the kernel's times."""

import contextlib
import errno
import random
import socket
from struct import Struct, pack
from time import monotonic_ns

from monitor.ping.arrival import IP_RECVERR, IPV6_RECVERR, SO_TIMESTAMPNS, Arrival, Reader
from monitor.ping.batch import Batch, Control
from monitor.ping.error_queue import ErrorQueue
from monitor.ping.filter import filter_answers
from monitor.ping.icmp import HEADER, REQUEST, V4, V6, seal
from monitor.ping.reply import Status
from monitor.ping.target import PLAIN_SIZE, Options, Target

# Linux's numbers, which Python 3.11 does not name.
IP_PKTINFO, IP_MTU_DISCOVER, IP_RECVTTL, IPV6_MTU_DISCOVER = 8, 10, 12, 23
SO_RCVBUFFORCE, SO_MEMINFO = 33, 55
# What the last of them says: the number of packets dropped since the socket was opened.
MEMINFO = Struct("@32xI")
PMTUDISC_WANT, PMTUDISC_DO = 1, 2
MTU_DISCOVER = {V4: (socket.IPPROTO_IP, IP_MTU_DISCOVER), V6: (socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER)}
PROTOCOL = {V4: socket.IPPROTO_ICMP, V6: socket.IPPROTO_ICMPV6}

pack_header = HEADER.pack
BUFFER_SIZE = 4 << 20
HEADROOM = 128
# So many leave in one call. Four cost little more than sixteen, and are gone within some microseconds.
TOGETHER = 4
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


class Carrier:
    """A socket for the echo requests of one address family; `OSError` where it may not be opened.

    `ident` is the id that its packets carry; the kernel owns it where the socket is a datagram one.
    """

    def __init__(self, family: int, *, raw: bool) -> None:
        self.family = family
        self._raw = raw
        self._dropped = 0
        # A raw IPv4 socket sees the IP header, and the kernel looks after the checksum of nothing there.
        self._wrapped = raw and family == V4
        self._request = REQUEST[family]
        self._batch = Batch(family, TOGETHER, HEADER.size + PLAIN_SIZE)
        self._reader = Reader(family, wrapped=self._wrapped)
        self._socket = open_socket(family, raw=raw)
        self._descriptor = self._socket.fileno()
        self._socket.setblocking(False)
        _enlarge_buffer(self._socket)
        self._ask_for_details()
        self._errors = ErrorQueue(self._socket, family, self._reader.room)
        self._single = Batch(family, 1, HEADER.size + PLAIN_SIZE, control=True)
        self._single.attach(self._errors.wanted)
        if raw:
            self.ident = random.randrange(1, 1 << 16)  # noqa: S311 - the token is the secret
            filter_answers(self._socket, self.ident)
        else:
            self._socket.bind(("::" if family == V6 else "", 0))
            self.ident = self._socket.getsockname()[1]
        # A kernel that cannot say this is found out here, where another way to ping is still to be had.
        self.count_dropped()

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._descriptor

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def build(self, sequence: int, payload: bytes) -> bytes:
        """Return the packet that asks for an echo of `payload`."""
        message = pack_header(self._request, 0, 0, self.ident, sequence) + payload
        # Everywhere else the kernel adds the checksum, of IPv6 because it alone knows the source.
        return seal(message) if self._wrapped else message

    def send_together(self, packets: list[tuple[bytes, bytes]]) -> tuple[int, int]:
        """Hand small packets, each with its packed address, to the kernel, and return when and how many it took.

        The time (monotonic ns) is when the first may have left: early lengthens a round trip, late would shorten it.
        """
        self._batch.lay_out(packets)
        sent = monotonic_ns()
        return sent, self._batch.send(self._descriptor, len(packets))

    def send_stamped(self, packet: tuple[bytes, bytes], ahead: int) -> tuple[int, int]:
        """Hand a small packet, with its packed address, to the kernel, and return when it left and how many it took.

        The time is monotonic (ns), and the real clock is `ahead` of it.
        """
        self._single.lay_out([packet])
        sent = monotonic_ns()
        taken = self._single.send(self._descriptor, 1)
        return self._errors.find_departure(sent, ahead) if taken else sent, taken

    def send(self, target: Target, packet: bytes, ahead: int) -> int:
        """Hand any packet to the kernel and return when it left; the times are as above.

        `OSError` says why the kernel would not take it.
        """
        self._widen(len(packet) + HEADROOM)
        try:
            return self._transmit(target, packet, ahead)
        except OSError as failure:
            if failure.errno in FULL or failure.errno == errno.EPERM:
                raise
        # An error that some router reported of another packet comes out of the next call, whichever that is,
        # and is cleared by that: only what is said again is about this packet.
        with contextlib.suppress(OSError):
            return self._transmit(target, packet, ahead)
        return self._transmit(target, packet, ahead)

    def receive(self) -> list[Arrival | None]:
        """Return the answers that have come in, at most some hundreds; None for one that makes no sense."""
        return self._reader.receive(self._descriptor)

    def count_dropped(self) -> int:
        """Return how many packets the kernel had no room for since this was last asked."""
        # A raw IPv6 socket counts answers with a wrong checksum among them: anybody could send those, and so pass off
        # lost packets as not measured.
        if self._raw and self.family == V6:
            return 0
        before, memory = self._dropped, self._socket.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, MEMINFO.size)
        (self._dropped,) = MEMINFO.unpack(memory)
        return self._dropped - before

    def receive_errors(self) -> list[Arrival | None]:
        """Return the errors that routers, or this machine, have reported of packets sent."""
        return self._errors.take()

    @property
    def reported(self) -> bool:
        """Whether such errors are known already, and the socket does not tell of them any more."""
        return bool(self._errors.reports)

    def _ask_for_details(self) -> None:
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        # Besides the errors of routers this brings ENOBUFS, without which a full queue loses in silence.
        if self.family == V6:
            self._socket.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        else:
            self._socket.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
            self._socket.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)

    def _widen(self, room: int) -> None:
        if room > self._reader.room:
            self._reader.widen(room)
            self._errors.widen(room)

    def _transmit(self, target: Target, packet: bytes, ahead: int) -> int:
        options = target.options
        control = build_control(options) + self._errors.wanted
        level, option = MTU_DISCOVER[self.family]
        if options.dont_fragment:
            self._socket.setsockopt(level, option, PMTUDISC_DO)
        try:
            sent = monotonic_ns()
            self._socket.sendmsg([packet], control, 0, (target.address, 0))
            return self._errors.find_departure(sent, ahead)
        finally:
            if options.dont_fragment:
                self._socket.setsockopt(level, option, PMTUDISC_WANT)


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


def build_control(options: Options) -> Control:
    """Return the control messages with a packet's options; `OSError` if there is no such device."""
    level = socket.IPPROTO_IPV6 if options.family == V6 else socket.IPPROTO_IP
    control: Control = []
    if options.ttl is not None:
        kind = socket.IPV6_HOPLIMIT if options.family == V6 else socket.IP_TTL
        control.append((level, kind, pack("@i", options.ttl)))
    if options.dscp:
        kind = socket.IPV6_TCLASS if options.family == V6 else socket.IP_TOS
        control.append((level, kind, pack("@i", options.dscp << 2)))
    if options.source is not None or options.interface is not None:
        device = socket.if_nametoindex(options.interface) if options.interface else 0
        source = socket.inet_pton(options.family, options.source) if options.source else b""
        if options.family == V6:
            control.append((level, socket.IPV6_PKTINFO, pack("@16sI", source, device)))
        else:
            control.append((level, IP_PKTINFO, pack("@i4s4x", device, source)))
    return control


def _enlarge_buffer(opened: socket.socket) -> None:
    try:
        opened.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_SIZE)
    except PermissionError:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_SIZE)
