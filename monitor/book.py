"""The minutes that are being filled: each packet's value goes to its slot, in whatever order the answers come."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from monitor.packing import NOT_MEASURED, Packer, Slots, pack, unpack
from monitor.tally import Tally, tally

MINUTE_US = 60_000_000

# Host, when it was due, the interval of its row (both µs), and what came of it (`monitor.packing`).
Packet = tuple[int, int, int, int]


class Strip:
    """Slots at one interval from `start` (µs since 1970) on, growing; those not heard of yet are `NOT_MEASURED`."""

    __slots__ = ("_packer", "interval", "start", "values")

    def __init__(self, start: int, interval: int) -> None:
        self.start = start
        self.interval = interval
        self.values: list[int] = []
        self._packer = self._make_packer()

    @property
    def last(self) -> int:
        """When the last slot of ours was due."""
        return self.start + (len(self.values) - 1) * self.interval

    def includes(self, slots: Slots) -> bool:
        """Whether these are slots of ours, as they were some time ago."""
        packer, known = self._packer, zip(slots.values, self.values, strict=False)
        return (
            (slots.offset_ms, slots.interval_ms) == (packer.offset_ms, packer.interval_ms)
            and len(slots.values) <= len(self.values)
            and all(value in (NOT_MEASURED, ours) for value, ours in known)
        )

    def find_place(self, due: int, interval: int) -> int | None:
        """The free slot of a packet due then, below 0 for one before ours; None where it does not fit in between."""
        place = (due - self.start + interval // 2) // interval
        astray = abs(due - self.start - place * interval)
        if interval != self.interval or astray > interval // 4:
            return None
        return None if 0 <= place < len(self.values) and self.values[place] != NOT_MEASURED else place

    def put(self, place: int, value: int) -> None:
        """Fill a free slot."""
        if place < 0:
            self.start += place * self.interval
            self.values[:0] = [NOT_MEASURED] * -place
            self._packer, place = self._make_packer(), 0
        elif place >= len(self.values):
            self.values += [NOT_MEASURED] * (place - len(self.values) + 1)
        self.values[place] = value

    def pack(self) -> bytes:
        """The slots as bytes; what is final, up to the first slot not heard of, is packed only once."""
        values = self.values
        while self._packer.count < len(values) and values[self._packer.count] != NOT_MEASURED:
            self._packer.add(values[self._packer.count])
        return self._packer.finish(values[self._packer.count :])

    def _make_packer(self) -> Packer:
        return Packer(self.start % MINUTE_US // 1000, round(self.interval / 1000))


@dataclass(slots=True)
class Page:
    """A minute of a host that is being filled.

    `prior` is what the database had of it before us; `unwritten` counts packets that it has not; `stored` says that it
    has the row, `counted` that the figures in it are final unless another packet comes.
    """

    host: int
    minute: int
    strips: list[Strip] = field(default_factory=list)
    prior: bytes = b""
    unwritten: int = 0
    stored: bool = False
    counted: bool = False

    def put(self, due: int, interval: int, value: int, start: int) -> None:
        """Fill the slot of a packet, in a new strip from `start` on where it fits into none."""
        for strip in reversed(self.strips):
            place = strip.find_place(due, interval)
            if place is not None and not self._is_between(strip, due):
                break
        else:
            strip, place = Strip(start, interval), (due - start) // interval
            self.strips.append(strip)
        strip.put(place, value)
        self.unwritten += 1
        self.counted = False

    def pack(self) -> bytes:
        """The whole minute."""
        return self.prior + b"".join(strip.pack() for strip in self.strips)

    def go_on_from(self, found: bytes) -> None:
        """Note what the database has of it, beside what is ours there already: a watcher was here before, the clock was
        set back, or a commit was done that looked as if it had failed."""
        theirs = [slots for slots in unpack(found) if not any(strip.includes(slots) for strip in self.strips)]
        self.prior = b"".join(map(pack, theirs))

    def _is_between(self, strip: Strip, due: int) -> bool:
        """Whether another strip lies between a strip and a packet due then: it filled that time at another interval."""
        least, most = (due, strip.start) if due < strip.start else (strip.last, due)
        return any(least <= other.start < most for other in self.strips if other is not strip)


class Book:
    """The pages of all hosts: those of this minute and the one before stay open, for answers still to come.

    Times are µs since 1970.
    """

    def __init__(self) -> None:
        self._pages: dict[tuple[int, int], Page] = {}
        self._minute = 0

    def add(self, packets: Iterable[Packet]) -> None:
        """Note what came of packets, in the order heard of."""
        latest = 0
        for host, due, interval, value in packets:
            minute = due // MINUTE_US
            latest = max(latest, minute)
            if (page := self._pages.get((host, minute))) is None:
                page = self._pages[host, minute] = Page(host, minute)
                page.put(due, interval, value, self._find_start(host, due, interval))
            else:
                page.put(due, interval, value, due)
        # Not the greatest ever, for the clock may be set back; a minute back is only a late answer.
        if latest and latest != self._minute - 1:
            self._minute = latest

    def _find_start(self, host: int, due: int, interval: int) -> int:
        """Where the first strip of a minute begins: where the last one of the minute before goes on, since the first
        packet may be the last one to be heard of."""
        before = self._pages.get((host, due // MINUTE_US - 1))
        if before is None or before.strips[-1].find_place(due, interval) is None:
            return due
        return due - due % MINUTE_US // interval * interval

    def list_unwritten(self, most_counted: int) -> Iterator[Page]:
        """The pages to write, oldest first: those with new packets, and at most so many whose minute has just ended."""
        for page in sorted(self._pages.values(), key=lambda page: page.minute):
            if page.unwritten:
                yield page
            elif not page.counted and self.is_over(page) and most_counted:
                most_counted -= 1
                yield page

    def is_over(self, page: Page) -> bool:
        """Whether its minute has ended, or the clock left it."""
        return page.minute - self._minute not in (0, 1)

    def close(self) -> None:
        """Forget the pages that are written and to which nothing more is expected."""
        self._pages = {
            key: page
            for key, page in self._pages.items()
            if page.unwritten or not page.counted or page.minute - self._minute in (-1, 0, 1)
        }


def tally_minute(packets: bytes) -> Tally:
    """The figures of a minute's bytes."""
    return tally([value for slots in sort_slots(packets) for value in slots.values])


def sort_slots(packets: bytes) -> list[Slots]:
    """All the slots of a minute's bytes, by time."""
    return sorted(unpack(packets), key=lambda slots: slots.offset_ms)
