"""Round trips counted together: sums, changes, and how often each occurred; mergeable, and small."""

import math
from array import array
from bisect import bisect_left
from functools import partial
from itertools import accumulate
from operator import mul, sub
from typing import NamedTuple

EXACT = 100
PRECISION = 7
# Four bytes are enough for any: no timeout is longer than an hour.
make_times = partial(array, "I")


class Figures(NamedTuple):
    """What round trips in send order come to; `change` is the sum of the changes from one to the next.

    `counts` has each different one, in order, and then how often each occurred, in a tenth of the memory of a dict.
    Where it is `coarse`, those that differ by less than 1 % are one.
    """

    received: int = 0
    total: int = 0
    squares: int = 0
    change: int = 0
    least: int = 0
    most: int = 0
    first: int = 0
    last: int = 0
    coarse: bool = False
    counts: "array[int]" = make_times()

    def percentile(self, percent: float) -> int:
        """Return the smallest round trip that at least `percent` of them did not exceed; there must be one."""
        rank, half = max(1, math.ceil(self.received * percent / 100)), len(self.counts) // 2
        floor = self.counts[bisect_left(list(accumulate(self.counts[half:])), rank)]
        middle = floor + (_width(floor) // 2 if self.coarse else 0)
        return min(max(middle, self.least), self.most)


NONE = Figures()


def measure(times: "array[int]") -> Figures:
    """Return the figures of some round trips, at least one."""
    change = sum(map(abs, map(sub, times[1:], times)))
    counts: dict[int, int] = {}
    for rtt in times:
        counts[rtt] = counts.get(rtt, 0) + 1
    sums = len(times), sum(times), sum(map(mul, times, times)), change
    return Figures(*sums, min(times), max(times), times[0], times[-1], False, _pack(counts))


def join(before: Figures, after: Figures) -> Figures:
    """Return the figures of round trips and of those that followed them."""
    if not before.received or not after.received:
        return before if before.received else after
    coarse = before.coarse or after.coarse
    counts = _add_counts(before, after, coarse=coarse)
    if len(counts) > EXACT and not coarse:
        coarse, counts = True, _add_counts(before, after, coarse=True)
    return Figures(
        before.received + after.received,
        before.total + after.total,
        before.squares + after.squares,
        before.change + after.change + abs(after.first - before.last),
        min(before.least, after.least),
        max(before.most, after.most),
        before.first,
        after.last,
        coarse,
        _pack(counts),
    )


def _add_counts(before: Figures, after: Figures, *, coarse: bool) -> dict[int, int]:
    counts = _count(before, coarse=coarse)
    for rtt, times in _count(after, coarse=coarse).items():
        counts[rtt] = counts.get(rtt, 0) + times
    return counts


def _count(figures: Figures, *, coarse: bool) -> dict[int, int]:
    half = len(figures.counts) // 2
    counts = dict(zip(figures.counts[:half], figures.counts[half:], strict=True))
    if figures.coarse or not coarse:
        return counts
    floors: dict[int, int] = {}
    for rtt, times in counts.items():
        floor = rtt & -_width(rtt)
        floors[floor] = floors.get(floor, 0) + times
    return floors


def _pack(counts: dict[int, int]) -> "array[int]":
    rtts = sorted(counts)
    return make_times(rtts + [counts[rtt] for rtt in rtts])


def _width(rtt: int) -> int:
    return 1 << rtt.bit_length() - PRECISION if rtt >> PRECISION else 1
