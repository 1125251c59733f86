"""Replies turned into numbers: loss with its interval, round trips, jitter; incremental and mergeable."""

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

from monitor.ping.figures import NONE, Figures, join, make_times, measure
from monitor.ping.reply import REPLY, Reply, Status

WAITING = 96
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
    # Round trips that are not in the figures yet: some dozens at once take a third of the time.
    _waiting: "array[int]" = field(default_factory=make_times)
    _settled: Figures = NONE

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Summary):
            return NotImplemented
        return self._list_figures() == other._list_figures()

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
        for name in ("_lost", "errors", "not_sent", "duplicates", "late"):
            setattr(self, name, getattr(self, name) + getattr(later, name))
        self.first_sent_at = _least(self.first_sent_at, later.first_sent_at)
        self.last_sent_at = _most(self.last_sent_at, later.last_sent_at)
        self._settled = join(self._settle(), later._figure())

    @property
    def sent(self) -> int:
        """Echoes that were sent."""
        return self.received + self._lost

    @property
    def received(self) -> int:
        """Echoes that were answered in time."""
        return self._settled.received + len(self._waiting)

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
        return self._settle().least if self.received else None

    @property
    def max_us(self) -> int | None:
        """The longest round trip."""
        return self._settle().most if self.received else None

    @property
    def avg_us(self) -> float | None:
        """The mean round trip."""
        return self._settle().total / self.received if self.received else None

    @property
    def mdev_us(self) -> float | None:
        """The population's standard deviation, which ping(8) calls mdev."""
        if not self.received:
            return None
        figures = self._settle()
        # Whole numbers until the root: the usual difference of two floats loses all digits on a long run.
        return math.sqrt(figures.squares * figures.received - figures.total**2) / figures.received

    @property
    def jitter_us(self) -> float | None:
        """The mean change from one answered echo to the next."""
        return self._settle().change / (self.received - 1) if self.received > 1 else None

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
        return self._settle().percentile(percent) if self.received else None

    def _settle(self) -> Figures:
        """Take the round trips that wait into the figures, and return these."""
        if self._waiting:
            self._settled, self._waiting = self._figure(), make_times()
        return self._settled

    def _figure(self) -> Figures:
        return join(self._settled, measure(self._waiting)) if self._waiting else self._settled

    def _list_figures(self) -> list[object]:
        sent = self._lost, self.errors, self.not_sent, self.first_sent_at, self.last_sent_at
        return [*sent, self.duplicates, self.late, self._figure()]


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


def _least(one: int | None, other: int | None) -> int | None:
    return min((value for value in (one, other) if value is not None), default=None)


def _most(one: int | None, other: int | None) -> int | None:
    return max((value for value in (one, other) if value is not None), default=None)
