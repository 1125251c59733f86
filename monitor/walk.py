"""A host on its way through the packets that were kept of it: each is judged, but for those that change nothing."""

from collections import deque
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from monitor.book import MINUTE_US, sort_slots
from monitor.health import Change, Echo, Health, Limits, State, declare, judge
from monitor.packing import BLIND, NOT_MEASURED, UNHEARD, Slots
from monitor.rules import Effective, Usual
from monitor.stretches import bridge, misses, skim
from monitor.varint import take_number

# A window reaches so many minutes further back at most than it is long.
SPARE = 2
# More jitter than any.
UNKNOWN = 1 << 80


class Row(NamedTuple):
    """A minute as it was kept; the figures are None while it is under way."""

    minute: int
    packets: bytes | None
    sent: int | None
    received: int | None
    not_measured: int | None
    min_us: int | None
    max_us: int | None
    jitter_sum_us: int | None


class Owed(NamedTuple):
    """A minute that was judged without the rule on jitter, and how things were before."""

    row: Row
    health: Health
    over: int


class Tremor:
    """How much jitter the last window can have come to at most, by the figures of its minutes."""

    def __init__(self) -> None:
        self._minutes: deque[tuple[int, int]] = deque()
        self._total = 0
        self._answers: tuple[int, int] | None = None

    def add(self, row: Row, window_us: int) -> int:
        """The most (µs of change, weighed by time) with one more minute."""
        most = self._weigh(row)
        self._minutes.append((row.minute, most))
        self._total += most
        while self._minutes[0][0] < row.minute - window_us // MINUTE_US - SPARE:
            self._total -= self._minutes.popleft()[1]
        return self._total

    def _weigh(self, row: Row) -> int:
        """Changes from answer to answer are kept; that from the minute before is no more than between any two."""
        count, _, weight = read_head(row)
        if row.sent is None or row.not_measured is None or count != row.sent + row.not_measured:
            return UNKNOWN
        if row.min_us is None or row.max_us is None or row.jitter_sum_us is None:
            return 0
        low, high = self._answers or (row.min_us, row.max_us)
        self._answers = row.min_us, row.max_us
        return weight * (row.jitter_sum_us + max(high, row.max_us) - min(low, row.min_us))


@dataclass(slots=True)
class Walk:
    """A host on its way through its history; `over` is when its last packet was over (µs), 0 before the first."""

    health: Health
    effective: Effective
    usual: Usual | None
    skips: bool = True
    over: int = 0
    changes: list[Change] = field(default_factory=list)
    _hour: tuple[int, Limits, Limits] = (-1, Limits(), Limits())
    _owed: deque[Owed] = field(default_factory=deque)
    _forgot: bool = False
    _tremor: Tremor = field(default_factory=Tremor)

    def take(self, row: Row) -> None:
        """Judge a minute. Where a rule on jitter cannot be broken in it, it is judged without; what that owes to the
        window is made up for once it can matter."""
        limits = self._find_limits(row.minute)
        if self.skips and limits.jitter_us:
            most = self._tremor.add(row, limits.window_us)
            if most < limits.jitter_us * limits.window_us and self._owe(row, limits):
                return
            self._pay()
        self._take(row, limits)

    def _owe(self, row: Row, limits: Limits) -> bool:
        """Judge a minute of a host that is up as if jitter did not matter; whether that changed no state."""
        before = Owed(row, self.health, self.over)
        if self.health.state is not State.UP:
            return False
        known = len(self.changes)
        self._take(row, self._hour[2])
        if len(self.changes) > known:
            del self.changes[known:]
            self.health, self.over = before.health, before.over
            return False
        self._owed.append(before)
        oldest = row.minute - limits.window_us // MINUTE_US - SPARE
        # The answer before the window is that with which its first is compared.
        while len(self._owed) > 1 and self._owed[1].row.minute < oldest and self._owed[1].row.received:
            self._owed.popleft()
            self._forgot = True
        return True

    def _pay(self) -> None:
        """Judge again what was judged without the rule on jitter, as far back as a window may reach."""
        if not self._owed:
            return
        first = self._owed[0]
        self.health, self.over = first.health, first.over
        if self._forgot:
            self.health, self._forgot = replace(first.health, last_us=None), False
        for owed in self._owed:
            self._take(owed.row, self._find_limits(owed.row.minute))
        self._owed.clear()

    def _take(self, row: Row, limits: Limits) -> None:
        """Judge a minute, or skip it where its figures say that it changes nothing."""
        if self.skips and _is_steady(self.health, row, limits) and (over := self._find_end(row)):
            self.over = over
            return
        slots = sort_slots(row.packets or b"")
        if len(slots) == 1:
            self._take_slots(row.minute, slots[0], limits)
            return
        for echo in sort_echoes(row.minute, slots):
            self._take_echo(echo, limits)

    def _take_slots(self, minute: int, slots: Slots, limits: Limits) -> None:
        """Judge echoes at one interval: one at a time only those that `skim` leaves."""
        due, weight, at = minute * MINUTE_US + slots.offset_ms * 1000, slots.interval_ms * 1000, 0
        values = slots.values
        while at < len(values):
            echo = Echo(due + at * weight, values[at], weight)
            if self.skips and echo.value > NOT_MEASURED:
                self._bridge(echo, limits)
                self.health, count = skim(self.health, echo.due, weight, values[at:], limits)
                if count:
                    at, self.over = at + count, echo.due + count * weight
                    continue
            self._take_echo(echo, limits)
            at += 1

    def _take_echo(self, echo: Echo, limits: Limits) -> None:
        """Judge an echo as it was judged when it was heard of: one that nobody heard of leaves a gap before the next,
        and where the host could not be asked that was known at once."""
        if echo.value in UNHEARD:
            return
        if echo.value in BLIND:
            self.health, change = declare(self.health, State.NOT_MEASURED, echo.due)
            self.over = 0
        else:
            self._bridge(echo, limits)
            self.health, change = judge(self.health, echo, limits)
            self.over = echo.due + echo.weight
        self.changes += [change] if change else []

    def _bridge(self, echo: Echo, limits: Limits) -> None:
        if self.over and misses(self.over, echo.due, echo.weight):
            self.health, change = bridge(self.health, self.over, echo, limits)
            self.changes += [change] if change else []
            self.over = echo.due

    def _find_limits(self, minute: int) -> Limits:
        if self._hour[0] != minute // 60:
            limits = self.effective.limits(self.usual, minute * MINUTE_US)
            self._hour = minute // 60, limits, replace(limits, jitter_us=None)
        return self._hour[1]

    def _find_end(self, row: Row) -> int | None:
        """When the last packet of a minute was over; None where the interval changed in it, or packets are missing
        before it."""
        count, due, weight = read_head(row)
        whole = count == (row.sent or 0) + (row.not_measured or 0)
        return due + count * weight if whole and not (self.over and misses(self.over, due, weight)) else None


def read_head(row: Row) -> tuple[int, int, int]:
    """How many packets the first row of a minute has, when the first was due, and how far apart they are (µs)."""
    take = iter(row.packets or b"\0\0\0").__next__
    count, offset_ms, interval_ms = take_number(take), take_number(take), take_number(take)
    return count, row.minute * MINUTE_US + offset_ms * 1000, interval_ms * 1000


def sort_echoes(minute: int, slots: list[Slots]) -> list[Echo]:
    """The packets of a minute in the order due: where the interval changed in the midst of it, one row of packets may
    reach into the next."""
    return sorted(
        Echo(minute * MINUTE_US + (each.offset_ms + place * each.interval_ms) * 1000, value, each.interval_ms * 1000)
        for each in slots
        for place, value in enumerate(each.values)
    )


def _is_steady(health: Health, row: Row, limits: Limits) -> bool:
    """Whether every packet of a minute leaves a host as it is, by the figures."""
    if row.sent is None or row.not_measured is None:
        return False
    if health.state is State.UP:
        all_back = row.received == row.sent and not row.not_measured and not health.streak
        return all_back and row.max_us is not None and row.max_us < limits.calm_us
    if health.state is State.DOWN:
        all_lost = not row.received and not row.not_measured
        return all_lost and health.tends is State.DOWN and health.trial is None
    return health.state is health.tends is State.NOT_MEASURED and not row.sent
