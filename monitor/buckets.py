"""A chart's columns: values and figures put into buckets of equal width, each with its counts and percentiles."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from monitor.packing import NOT_MEASURED, Slots
from monitor.tally import Row as Figures
from monitor.tally import Unpack, find_exact, merge

PERCENTS = (5, 25, 50, 75, 95)
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
# Widths of buckets (ms) that divide minutes, hours and days, so that a chart that moves keeps its buckets.
WIDTHS = (
    200, 500, 1000, 2000, 5000, 10_000, 15_000, 20_000, 30_000,
    *(MINUTE * number for number in (1, 2, 5, 10, 15, 20, 30)),
    *(HOUR * number for number in (1, 2, 3, 4, 6, 8, 12)),
    *(DAY * number for number in (1, 2, 7, 14, 28, 56, 112)),
)  # fmt: skip
COLUMNS = (
    "t", "sent", "received", "not_measured", "reason", "loss", "min", "p5", "p25", "median", "p75", "p95", "max",
)  # fmt: skip
EMPTY = (None,) * (len(COLUMNS) - 1)
NO_TIMES = (None,) * (len(PERCENTS) + 2)

# What follows `t` in the columns.
Row = Sequence[Any]


@dataclass(slots=True)
class Series:
    """Columns of equal length: for each bucket when it begins (ms since 1970) and what came of its packets.

    `source` says from what it was read: "packets", "minutes" or "hours". Times are µs. All but `t` are None for a
    bucket without data; times also where nothing came back, `loss` (0 to 1) where nothing was sent. `reason` is the
    code (`monitor.packing`) of most of what was not measured.
    """

    width_ms: int
    source: str
    columns: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in COLUMNS})

    def fill(self, start: int, rows: Iterable[Row]) -> None:
        """Put in the rows of the buckets from `start` (ms since 1970) on."""
        table = [(start + place * self.width_ms, *row) for place, row in enumerate(rows)]
        self.columns = {name: list(column) for name, column in zip(COLUMNS, zip(*table, strict=True), strict=True)}


def find_width(least: float) -> int:
    """The narrowest of `WIDTHS`, or multiple of the last (ms), that is no narrower than this."""
    return next((width for width in WIDTHS if width >= least), -int(-least // WIDTHS[-1]) * WIDTHS[-1])


def bucket_packets(minutes: Iterable[tuple[int, Slots]], start: int, width: int, number: int) -> Iterator[Row]:
    """Rows of exact figures of packets (`monitor.minutes.read_minutes`), by when each was due."""
    buckets: list[list[int]] = [[] for _ in range(number)]
    for minute, slots in minutes:
        due = minute * MINUTE + slots.offset_ms - start
        if width >= MINUTE:
            # Minutes are not divided between buckets.
            if 0 <= (place := due // width) < number:
                buckets[place] += slots.values
            continue
        for value in slots.values:
            if 0 <= (place := due // width) < number:
                buckets[place].append(value)
            due += slots.interval_ms
    return map(_count_values, buckets)


def bucket_figures(spans: Iterable[Figures], unpack: Unpack, start: int, width: int, number: int) -> Iterator[Row]:
    """Rows of the figures of spans, by when each began; see `monitor.tally.merge`."""
    buckets: list[list[Figures]] = [[] for _ in range(number)]
    for figures in spans:
        if 0 <= (place := (figures[0] - start) // width) < number:
            buckets[place].append(figures)
    return (_count_figures(rows, unpack) if rows else EMPTY for rows in buckets)


def _count_values(values: list[int]) -> Row:
    if not values:
        return EMPTY
    ordered = sorted(values)
    received = next((len(ordered) - place for place, value in enumerate(ordered) if value >= 0), 0)
    missing = ordered[: len(ordered) - received]
    reasons = [value for value in missing if value <= NOT_MEASURED]
    sent = len(values) - len(reasons)
    reason = Counter(reasons).most_common(1)[0][0] if reasons else None
    counts = (sent, received, len(reasons), reason, 1 - received / sent if sent else None)
    if not received:
        return *counts, *NO_TIMES
    times = ordered[len(missing) :]
    return *counts, times[0], *(find_exact(times, percent) for percent in PERCENTS), times[-1]


def _count_figures(rows: list[Figures], unpack: Unpack) -> Row:
    total = merge(rows, unpack)
    loss = 1 - total.received / total.sent if total.sent else None
    counts = (total.sent, total.received, total.not_measured, total.reason, loss)
    times = total.percentiles(PERCENTS)
    return *counts, *((total.min_us, *times, total.max_us) if times else NO_TIMES)
