"""What values in the order sent come to: counts, why not, round trips, jitter."""

from collections import Counter
from collections.abc import Callable, Sequence
from operator import sub
from typing import Any, NamedTuple

from monitor.histogram import Entries, count_times, find_percentiles, pack_narrow
from monitor.packing import NOT_MEASURED

# The columns of `monitor.models.Figures`.
FIGURES = (
    "sent", "received", "not_measured", "reason", "min_us", "median_us", "max_us", "jitter_sum_us", "histogram",
)  # fmt: skip

# When a span began (ms since 1970) and those columns; and what makes entries of histograms put together.
Row = Sequence[Any]
Unpack = Callable[[bytes], Entries]


class Tally(NamedTuple):
    """The figures of one span of one host; times are µs, and None where nothing came back.

    `reason` is the code of most of what was not measured; `jitter_sum_us` adds up the changes from one answer to the
    next, of which there are `received` - 1; `entries` are those of `monitor.histogram`.
    """

    sent: int
    received: int
    not_measured: int
    reason: int | None
    min_us: int | None
    median_us: int | None
    max_us: int | None
    jitter_sum_us: int
    entries: Entries

    def percentiles(self, percents: Sequence[float]) -> list[int] | None:
        """For each per cent, ascending, the time (µs) that so many did not exceed, at most 3.1 % beside it; None where
        nothing came back."""
        times = find_percentiles(self.entries, percents)
        if times is None or self.min_us is None or self.max_us is None:
            return None
        least, most = self.min_us, self.max_us
        times = [min(max(time, least), most) for time in times]
        if self.median_us is not None and 50 in percents:
            times[percents.index(50)] = self.median_us
            times.sort()
        return times

    @property
    def figures(self) -> tuple[int | bytes | None, ...]:
        """What the columns of a minute hold, in the order of `FIGURES`."""
        return *self[:-1], pack_narrow(self.entries)


def tally(values: Sequence[int]) -> Tally:
    """Count values as `monitor.packing.Slots` has them."""
    times = [value for value in values if value >= 0]
    reasons = Counter(value for value in values if value <= NOT_MEASURED) if len(times) < len(values) else Counter()
    ordered = sorted(times)
    return Tally(
        sent=len(values) - reasons.total(),
        received=len(times),
        not_measured=reasons.total(),
        reason=reasons.most_common(1)[0][0] if reasons else None,
        min_us=ordered[0] if ordered else None,
        median_us=ordered[(len(ordered) - 1) // 2] if ordered else None,
        max_us=ordered[-1] if ordered else None,
        jitter_sum_us=sum(map(abs, map(sub, times[1:], times))),
        entries=count_times(ordered),
    )


def find_exact(ordered: Sequence[int], percent: float) -> int:
    """The smallest of the ascending times that at least `percent` of them do not exceed."""
    return ordered[max(1, -int(-len(ordered) * percent // 100)) - 1]


def merge(rows: Sequence[Row], unpack: Unpack) -> Tally:
    """The figures of several spans, at least one, as one; `unpack` is for their histograms. Of several the median stays
    None: `percentiles` finds it."""
    _, sent, received, not_measured, reasons, least, median, most, jitter, histograms = zip(*rows, strict=True)
    entries = unpack(b"".join(histograms))
    return Tally(
        sent=sum(sent),
        received=sum(received),
        not_measured=sum(not_measured),
        reason=_find_reason(reasons, not_measured) if any(not_measured) else None,
        min_us=min([time for time in least if time is not None], default=None),
        median_us=median[0] if len(rows) == 1 else None,
        max_us=max([time for time in most if time is not None], default=None),
        jitter_sum_us=sum(jitter),
        entries=entries,
    )


def _find_reason(reasons: Sequence[int | None], counts: Sequence[int]) -> int | None:
    total: Counter[int | None] = Counter()
    for reason, count in zip(reasons, counts, strict=True):
        total[reason] += count
    return total.most_common(1)[0][0]
