"""Replies turned into numbers: loss with its interval, round trips, jitter; incremental and mergeable."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from monitor.ping.reply import REPLY, Reply, Status

EXACT = 100
PRECISION = 7
Z95 = 1.959964


@dataclass(slots=True)
class Summary:
    """What many replies of one host come to; add them in send order. Times are microseconds.

    Everything that has no value yet is None. Percentiles are exact up to 100 different round trips, then
    within 1 %; all else is exact always, and the same whether added one by one or merged from parts.
    """

    sent: int = 0
    received: int = 0
    errors: int = 0
    not_sent: int = 0
    duplicates: int = 0
    late: int = 0
    min_us: int | None = None
    max_us: int | None = None
    first_sent_at: int | None = None
    last_sent_at: int | None = None
    _total: int = 0
    _squares: int = 0
    _change: int = 0
    _first: int | None = None
    _last: int | None = None
    _counts: dict[int, int] = field(default_factory=dict)
    _coarse: bool = False

    def add(self, reply: Reply) -> None:
        """Count one reply; a note, such as a duplicate, is no echo of its own."""
        status = reply.status
        if status is REPLY and (rtt := reply.rtt_us) is not None:
            self._count_sent(reply)
            self._count_answer(rtt)
        else:
            self._count_other(reply, status)
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
                self._count_sent(reply)
                self.errors += status is not Status.TIMEOUT

    def merge(self, later: "Summary") -> None:
        """Add the replies of another summary, which follow those of this one."""
        for name in ("sent", "received", "errors", "not_sent", "duplicates", "late"):
            setattr(self, name, getattr(self, name) + getattr(later, name))
        self.min_us = _least(self.min_us, later.min_us)
        self.max_us = _most(self.max_us, later.max_us)
        self.first_sent_at = _least(self.first_sent_at, later.first_sent_at)
        self.last_sent_at = _most(self.last_sent_at, later.last_sent_at)
        self._merge_times(later)

    @property
    def lost(self) -> int:
        """Echoes that were sent and not answered in time."""
        return self.sent - self.received

    @property
    def loss(self) -> float | None:
        """The fraction lost, 0 to 1."""
        return self.lost / self.sent if self.sent else None

    @property
    def loss_interval(self) -> tuple[float, float] | None:
        """Between which fractions the true loss lies with 95 % confidence, after Wilson."""
        if not self.sent:
            return None
        loss, n, z2 = self.lost / self.sent, self.sent, Z95 * Z95
        middle = (loss + z2 / (2 * n)) / (1 + z2 / n)
        reach = Z95 / (1 + z2 / n) * math.sqrt(loss * (1 - loss) / n + z2 / (4 * n * n))
        return max(0.0, middle - reach), min(1.0, middle + reach)

    @property
    def avg_us(self) -> float | None:
        """The mean round trip."""
        return self._total / self.received if self.received else None

    @property
    def mdev_us(self) -> float | None:
        """The population's standard deviation, which ping(8) calls mdev."""
        if not self.received:
            return None
        # Whole numbers until the root: the usual difference of two floats loses all digits on a long run.
        return math.sqrt(self._squares * self.received - self._total**2) / self.received

    @property
    def jitter_us(self) -> float | None:
        """The mean change from one answered echo to the next."""
        return self._change / (self.received - 1) if self.received > 1 else None

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

    def _count_sent(self, reply: Reply) -> None:
        self.sent += 1
        if self.first_sent_at is None:
            self.first_sent_at = reply.sent_at
        self.last_sent_at = reply.sent_at

    def _count_answer(self, rtt: int) -> None:
        self.received += 1
        self._total += rtt
        self._squares += rtt * rtt
        if self.min_us is None or rtt < self.min_us:
            self.min_us = rtt
        if self.max_us is None or rtt > self.max_us:
            self.max_us = rtt
        if self._last is None:
            self._first = rtt
        else:
            self._change += abs(rtt - self._last)
        self._last = rtt
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
