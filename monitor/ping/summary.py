"""Replies turned into numbers: loss with its interval, round trips, jitter; incremental and mergeable."""

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from functools import partial
from operator import attrgetter, mul, sub

from monitor.ping.reply import REPLY, Reply, Status

EXACT, WAITING = 100, 32
PRECISION = 7
Z95 = 1.959964


@dataclass(slots=True, eq=False)
class Summary:
    """What many replies of one host come to; add them in send order. Times are microseconds.

    Everything that has no value yet is None. Percentiles are exact up to 100 different round trips, then
    within 1 %; all else is exact always, and the same whether added one by one or merged from parts.
    """

    errors: int = 0
    not_sent: int = 0
    duplicates: int = 0
    late: int = 0
    first_sent_at: int | None = None
    last_sent_at: int | None = None
    _lost: int = 0
    _received: int = 0
    _least: int | None = None
    _most: int | None = None
    _total: int = 0
    _squares: int = 0
    _change: int = 0
    _first: int | None = None
    _last: int | None = None
    _counts: dict[int, int] = field(default_factory=dict)
    _coarse: bool = False
    # Round trips that are not in the figures yet: some dozens at once take a third of the time.
    _waiting: "array[int]" = field(default_factory=partial(array, "Q"))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Summary):
            return NotImplemented
        self._settle()
        other._settle()
        return bool(all_figures(self) == all_figures(other))

    __hash__ = None  # type: ignore[assignment]  # it changes

    def add(self, reply: Reply) -> None:
        """Count one reply; a note, such as a duplicate, is no echo of its own."""
        if reply.status is REPLY and (rtt := reply.rtt_us) is not None:
            self.last_sent_at = reply.sent_at
            if self.first_sent_at is None:
                self.first_sent_at = reply.sent_at
            self._waiting.append(rtt)
            if len(self._waiting) == WAITING:
                self._settle()
        else:
            self._count_other(reply, reply.status)
        if reply.duplicates:
            self.duplicates += reply.duplicates

    def _count_other(self, reply: Reply, status: Status) -> None:
        match status:
            case Status.NOT_SENT:
                self.not_sent += 1
            case Status.DUPLICATE:
                self.duplicates += 1
            case Status.LATE:
                self.late += 1
            case Status.REDIRECT:
                pass
            case _:
                self._lost += 1
                self.errors += status is not Status.TIMEOUT
                self.last_sent_at = reply.sent_at
                if self.first_sent_at is None:
                    self.first_sent_at = reply.sent_at

    def merge(self, later: "Summary") -> None:
        """Add the replies of another summary, which follow those of this one."""
        self._settle()
        later._settle()
        for name in ("_lost", "_received", "errors", "not_sent", "duplicates", "late"):
            setattr(self, name, getattr(self, name) + getattr(later, name))
        self._least = _least(self._least, later._least)
        self._most = _most(self._most, later._most)
        self.first_sent_at = _least(self.first_sent_at, later.first_sent_at)
        self.last_sent_at = _most(self.last_sent_at, later.last_sent_at)
        self._merge_times(later)

    @property
    def sent(self) -> int:
        """Echoes that were sent."""
        return self.received + self._lost

    @property
    def received(self) -> int:
        """Echoes that were answered in time."""
        return self._received + len(self._waiting)

    @property
    def lost(self) -> int:
        """Echoes that were sent and not answered in time."""
        return self._lost

    @property
    def loss(self) -> float | None:
        """The fraction lost, 0 to 1."""
        return self.lost / self.sent if self.sent else None

    @property
    def loss_interval(self) -> tuple[float, float] | None:
        """Between which fractions the true loss lies with 95 % confidence, after Wilson."""
        return find_loss_interval(self.lost, self.sent)

    @property
    def min_us(self) -> int | None:
        """The shortest round trip."""
        self._settle()
        return self._least

    @property
    def max_us(self) -> int | None:
        """The longest round trip."""
        self._settle()
        return self._most

    @property
    def avg_us(self) -> float | None:
        """The mean round trip."""
        self._settle()
        return self._total / self._received if self._received else None

    @property
    def mdev_us(self) -> float | None:
        """The population's standard deviation, which ping(8) calls mdev."""
        self._settle()
        if not self._received:
            return None
        # Whole numbers until the root: the usual difference of two floats loses all digits on a long run.
        return math.sqrt(self._squares * self._received - self._total**2) / self._received

    @property
    def jitter_us(self) -> float | None:
        """The mean change from one answered echo to the next."""
        self._settle()
        return self._change / (self._received - 1) if self._received > 1 else None

    @property
    def median_us(self) -> int | None:
        """The round trip that half of the answers did not exceed."""
        return self.percentile(50)

    @property
    def p95_us(self) -> int | None:
        """The round trip that 95 % of the answers did not exceed."""
        return self.percentile(95)

    @property
    def p99_us(self) -> int | None:
        """The round trip that 99 % of the answers did not exceed."""
        return self.percentile(99)

    def percentile(self, percent: float) -> int | None:
        """Return the smallest round trip that at least `percent` of the answers did not exceed."""
        if self.min_us is None or self.max_us is None:
            return None
        rank, seen, floor = max(1, math.ceil(self.received * percent / 100)), 0, 0
        for floor in sorted(self._counts):
            seen += self._counts[floor]
            if seen >= rank:
                break
        middle = floor + (_width(floor) // 2 if self._coarse else 0)
        return min(max(middle, self.min_us), self.max_us)

    def _settle(self) -> None:
        """Take the round trips that wait into the figures."""
        if times := self._waiting:
            self._waiting = array("Q")
            self._received += len(times)
            self._total += sum(times)
            self._squares += sum(map(mul, times, times))
            self._least = _least(self._least, min(times))
            self._most = _most(self._most, max(times))
            before = times[0] if self._last is None else self._last
            self._change += abs(times[0] - before) + sum(map(abs, map(sub, times[1:], times)))
            self._first = times[0] if self._first is None else self._first
            self._last = times[-1]
            for rtt in times:
                self._keep(rtt, 1)

    def _keep(self, rtt: int, times: int) -> None:
        floor, counts = rtt - rtt % _width(rtt) if self._coarse else rtt, self._counts
        counts[floor] = counts.get(floor, 0) + times
        if len(counts) > EXACT and not self._coarse:
            self._coarse = True
            counts, self._counts = self._counts, {}
            for value, count in counts.items():
                self._keep(value, count)

    def _merge_times(self, later: "Summary") -> None:
        self._total += later._total
        self._squares += later._squares
        self._change += later._change
        if self._last is not None and later._first is not None:
            self._change += abs(later._first - self._last)
        self._first = later._first if self._first is None else self._first
        self._last = self._last if later._last is None else later._last
        if later._coarse and not self._coarse:
            self._counts, counts = dict(later._counts), self._counts
            self._coarse = True
        else:
            counts = later._counts
        for floor, count in counts.items():
            self._keep(floor, count)


all_figures = attrgetter(*(each.name for each in fields(Summary)))


def find_loss_interval(lost: int, sent: int) -> tuple[float, float] | None:
    """Between which fractions the true loss lies with 95 % confidence, after Wilson; None where nothing was sent."""
    if not sent:
        return None
    loss, z2 = lost / sent, Z95 * Z95
    middle = (loss + z2 / (2 * sent)) / (1 + z2 / sent)
    reach = Z95 / (1 + z2 / sent) * math.sqrt(loss * (1 - loss) / sent + z2 / (4 * sent * sent))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def summarise(replies: Iterable[Reply]) -> Summary:
    """Return the summary of replies given in any order."""
    summary = Summary()
    for reply in sorted(replies, key=lambda reply: reply.index):
        summary.add(reply)
    return summary


def format_summary(summary: Summary, host: str) -> str:
    """Return the closing lines of ping(8) about `host`."""
    counts = [f"{summary.sent} packets transmitted", f"{summary.received} received"]
    extras = {"duplicates": summary.duplicates, "late": summary.late, "errors": summary.errors}
    counts += [f"+{number} {name}" for name, number in extras.items() if number]
    if summary.not_sent:
        counts.append(f"{summary.not_sent} not measured")
    if summary.loss is not None:
        counts.append(f"{summary.loss * 100:.6g}% packet loss")
    elapsed = (summary.last_sent_at or 0) - (summary.first_sent_at or 0)
    lines = [f"--- {host} ping statistics ---", f"{', '.join(counts)}, time {elapsed // 1000}ms"]
    if summary.avg_us is not None:
        times = (summary.min_us, summary.avg_us, summary.max_us, summary.mdev_us)
        lines.append(f"rtt min/avg/max/mdev = {'/'.join(f'{(time or 0) / 1000:.3f}' for time in times)} ms")
    return "\n".join(lines)


def _width(rtt: int) -> int:
    return 1 << max(0, rtt.bit_length() - PRECISION)


def _least(one: int | None, other: int | None) -> int | None:
    return min((value for value in (one, other) if value is not None), default=None)


def _most(one: int | None, other: int | None) -> int | None:
    return max((value for value in (one, other) if value is not None), default=None)
