"""Answers as they come in: from the bytes that the kernel laid out to what they say, from whom and when."""

from collections.abc import Iterator
from socket import IP_TTL, IPV6_HOPLIMIT
from struct import Struct
from typing import NamedTuple

from monitor.ping.batch import CONTROL_SIZE, Batch, Control, split_control
from monitor.ping.icmp import (
    HEADER,
    IP_HEADER_SIZE,
    REPLY,
    V4,
    V6,
    checksum,
    error_status,
    parse_answer,
    parse_quote,
    strip_header,
)
from monitor.ping.reply import REPLY as ANSWERED
from monitor.ping.reply import Status
from monitor.ping.target import PLAIN_SIZE

# Linux's numbers, which Python 3.11 does not name.
IP_RECVERR, IPV6_RECVERR = 11, 25
SO_TIMESTAMPNS = 35
TTL_KIND = {V4: IP_TTL, V6: IPV6_HOPLIMIT}
ERROR_KIND = {V4: IP_RECVERR, V6: IPV6_RECVERR}

read_time, read_number = Struct("@ll").unpack, Struct("@I").unpack
# A named tuple by its own constructor takes three times as long.
make_tuple = tuple.__new__
NAMES = {V4: Struct("!4x4s8x"), V6: Struct("!8x16s4x")}
# The control messages of an everyday answer: when it came, then its TTL; and their size.
DETAILS, USUAL_SIZE = Struct(f"@12xi2q12xiI{CONTROL_SIZE - 52}x"), 56
# So many packets in one call, and in one turn of the loop. Room for each is made when a larger one is sent.
ANSWERS, READS = 64, 192
ROOM, MEMORY = 256, 1 << 20
EXTENDED_ERROR = Struct("=IBBBxII")
# An IP header without options.
SHORTEST = 0x45
ORIGIN_ICMP, ORIGIN_STAMP = {V4: 2, V6: 3}, 4
OFFENDER = {V4: slice(20, 24), V6: slice(24, 40)}


class Arrival(NamedTuple):
    """An answer as it came in: what it says, as `Answer` has it, then from whom, with which TTL, and when.

    Addresses are packed. `received_at` is of the real clock (ns), 0 if the kernel did not say; `size` counts
    ICMP bytes.
    """

    status: Status
    ident: int
    sequence: int
    payload: bytes
    destination: bytes | None
    sender: bytes
    ttl: int | None
    received_at: int
    size: int


class Reader:
    """Reads what comes in at a socket of this family; `wrapped` if it sees IP headers and nobody has looked at the
    checksum."""

    def __init__(self, family: int, *, wrapped: bool) -> None:
        self.room = 0
        self._family = family
        self._wrapped = wrapped
        self._skip = IP_HEADER_SIZE if wrapped else 0
        self._least = self._skip + HEADER.size
        self._usual = REPLY[family] << 8, SO_TIMESTAMPNS, TTL_KIND[family], USUAL_SIZE
        self.widen(ROOM)

    def widen(self, room: int) -> None:
        """Be ready for packets of this size."""
        if room > self.room:
            self.room = room
            self._batch = Batch(self._family, max(1, min(ANSWERS, MEMORY // room)), room, control=True)
            self._heads = Struct(f"!{self._skip}xH2xHH{PLAIN_SIZE}s{room - self._least - PLAIN_SIZE}x")

    def receive(self, descriptor: int) -> list[Arrival | None]:
        """Return what has come in, at most some hundred packets; None for what makes no sense."""
        arrivals: list[Arrival | None] = []
        for _ in range(READS):
            try:
                lengths = self._batch.receive(descriptor)
            except BlockingIOError:
                break
            except OSError:
                continue
            arrivals += self._read(lengths)
            if len(lengths) < self._batch.count or len(arrivals) >= READS:
                break
        return arrivals

    def _read(self, lengths: list[tuple[int, int]]) -> Iterator[Arrival | None]:
        batch, skip, usual, least = self._batch, self._skip, self._usual, self._least
        plain = least + PLAIN_SIZE
        names = NAMES[self._family].iter_unpack(batch.names)
        details, heads = DETAILS.iter_unpack(batch.control), self._heads.iter_unpack(batch.data)
        for place, (
            (details_size, size),
            (sender,),
            (stamp, seconds, nanoseconds, ttl_kind, ttl),
            (kind, ident, sequence, start),
        ) in enumerate(zip(lengths, names, details, heads, strict=False)):
            # Where a packet is short, its head is what is left of another.
            everyday = (kind, stamp, ttl_kind, details_size) == usual and size >= least
            if not everyday or (skip and not _is_sound(batch.copy(place, size))):
                control = split_control(batch.copy_control(place, details_size))
                yield self._read_unusual(batch.copy(place, size), control, sender)
                continue
            payload = start if size == plain else batch.copy(place, size)[least:]
            received_at = seconds * 1_000_000_000 + nanoseconds
            fields = ANSWERED, ident, sequence, payload, None, sender, ttl, received_at, size - skip
            yield make_tuple(Arrival, fields)

    def _read_unusual(self, data: bytes, control: Control, sender: bytes) -> Arrival | None:
        ttl = None
        for _, kind, value in control:
            if kind == TTL_KIND[self._family]:
                (ttl,) = read_number(value)
        message = _unwrap(data) if self._wrapped else data
        answer = parse_answer(self._family, message)
        return answer and Arrival(*answer, sender, ttl, find_stamp(control), len(message))


def find_stamp(control: Control) -> int:
    """Return when the kernel saw a packet, by the real clock (ns), 0 if it does not say."""
    for _, kind, value in control:
        if kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = read_time(value)
            return seconds * 1_000_000_000 + nanoseconds
    return 0


def read_stamp(family: int, control: Control) -> tuple[int, int] | None:
    """Return of the how manieth stamped packet an entry of the error queue says when it left, and when, by the real
    clock (ns); None for an error."""
    reported = _find_reported(family, control)
    if len(reported) < EXTENDED_ERROR.size:
        return None
    _, origin, _, _, _, number = EXTENDED_ERROR.unpack_from(reported)
    return (number, find_stamp(control)) if origin == ORIGIN_STAMP else None


def read_error(family: int, quote: bytes, control: Control, destination: bytes) -> Arrival | None:
    """Return what an entry of the error queue says about a packet of ours, None if it makes no sense."""
    reported = _find_reported(family, control)
    if len(reported) < OFFENDER[family].stop:
        return None
    _, origin, kind, code, _, _ = EXTENDED_ERROR.unpack_from(reported)
    status = error_status(family, kind, code) if origin == ORIGIN_ICMP[family] else None
    if status is None or (answer := parse_quote(family, quote, status, destination)) is None:
        return None
    return Arrival(*answer, reported[OFFENDER[family]], None, 0, len(quote))


def _find_reported(family: int, control: Control) -> bytes:
    return next((value for _, kind, value in control if kind == ERROR_KIND[family]), b"")


def _unwrap(packet: bytes) -> bytes:
    message = strip_header(packet)
    return b"" if checksum(message) else message


def _is_sound(packet: bytes) -> bool:
    return packet[0] == SHORTEST and checksum(packet[IP_HEADER_SIZE:]) == 0
