"""A minute of round trips as bytes, in the order sent: two of them a packet, with what came of each."""

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from monitor.ping.reply import Reply
from monitor.varint import append_number, finish_number, take_number

# Numbers below this stand for codes, the others for differences; the cost is that fewer differences fit one byte.
CODES = 24


class Code(enum.IntEnum):
    """What came of a packet that has no round trip: lost down to -15, below that not measured.

    The names are those of `monitor.ping.reply.Status`, and of our own reasons for asking nothing; the numbers are on
    disk and never change.
    """

    TIMEOUT = -1
    HOST_UNREACHABLE = -2
    NET_UNREACHABLE = -3
    PORT_UNREACHABLE = -4
    PROTOCOL_UNREACHABLE = -5
    UNREACHABLE = -6
    PROHIBITED = -7
    TIME_EXCEEDED = -8
    TOO_BIG = -9
    CORRUPT = -10
    NO_ROUTE = -11
    BLOCKED = -12
    # It was asked and the process ended before the answer, so nobody knows; also a slot that nobody reported.
    UNKNOWN = -16
    # The packet could not leave in time.
    NOT_SENT = -17
    ASLEEP = -18
    NO_NAME = -19
    FORBIDDEN = -20


LOST = int(Code.TIMEOUT)
NOT_MEASURED = int(Code.UNKNOWN)
# Slots of which nobody heard, and those of a host that could not be asked at all.
UNHEARD = (int(Code.UNKNOWN), int(Code.ASLEEP))
BLIND = (int(Code.NO_NAME), int(Code.FORBIDDEN))
# The longest round trip that is kept, 19 hours; what claims to be longer is kept as this.
LONGEST = (1 << 36) - 1
_CODES = {code.name: int(code) for code in Code}


@dataclass(slots=True)
class Slots:
    """Packets due one after the other: the first `offset_ms` after the minute began, then one every `interval_ms`.

    A value is a round trip in µs, or a `Code` where there is none.
    """

    offset_ms: int
    interval_ms: int
    values: list[int] = field(default_factory=list)


class Packer:
    """Packs values one at a time; `pack_minute` makes the bytes of a minute from it."""

    __slots__ = ("_last", "count", "interval_ms", "offset_ms", "out")

    def __init__(self, offset_ms: int, interval_ms: int) -> None:
        self.offset_ms = offset_ms
        self.interval_ms = interval_ms
        self.count = 0
        self.out = bytearray()
        self._last = 0

    def add(self, value: int) -> None:
        """Append a value: a code takes a byte, a round trip its difference from the one before, zigzag."""
        self.count += 1
        if value < 0:
            self.out.append(~value)
            return
        change = value - self._last
        self._last = value
        append_number(self.out, (change << 1 ^ change >> 63) + CODES)

    def finish(self, rest: Iterable[int] = ()) -> bytes:
        """The packed slots, followed by values that are not final and stay out of the packer."""
        count, last, length = self.count, self._last, len(self.out)
        for value in rest:
            self.add(value)
        head = bytearray()
        for number in (self.count, self.offset_ms, self.interval_ms):
            append_number(head, number)
        packed = bytes(head + self.out)
        self.count, self._last = count, last
        del self.out[length:]
        return packed


def find_code(reply: Reply) -> int:
    """The value of a reply: its round trip in µs, or the code of its status."""
    return _CODES[reply.status.name] if reply.rtt_us is None or reply.lost else min(reply.rtt_us, LONGEST)


def pack(slots: Slots) -> bytes:
    """The slots as bytes. What several calls return may be put one after the other."""
    packer = Packer(slots.offset_ms, slots.interval_ms)
    for value in slots.values:
        packer.add(value)
    return packer.finish()


def unpack(data: bytes) -> list[Slots]:
    """All the slots of a minute's bytes, in the order written; zeros at the end are room to grow, and no slots.

    `ValueError` where the bytes end too early.
    """
    octets = iter(data)
    take = octets.__next__
    found: list[Slots] = []
    try:
        for first in octets:
            if not (count := finish_number(first, take)):
                break
            found.append(Slots(take_number(take), take_number(take), [0] * count))
            _fill(found[-1].values, take)
    except StopIteration:
        raise ValueError("a minute's bytes end in the midst of a value") from None
    return found


def _fill(values: list[int], take: Callable[[], int]) -> None:
    """Replace every value by the next of the bytes. A day has 86,400: the two shortest forms are read in place."""
    last = 0
    for place in range(len(values)):
        first = take()
        if first >= 0x80:
            number = (first << 8 | take()) - (0x8000 + CODES) if first < 0xC0 else finish_number(first, take) - CODES
        elif first >= CODES:
            number = first - CODES
        else:
            values[place] = ~first
            continue
        last += ~(number >> 1) if number & 1 else number >> 1
        values[place] = last
