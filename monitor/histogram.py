"""Round trips counted in bins no wider than 3.1 % of what is in them: mergeable, small, any percentile afterwards.

The bins are those of the 6 leading binary digits: one a microsecond up to 63, then 32 for every doubling. An entry is
one number, the bin's above the count's; so entries are merged by putting them together, and sorted as numbers.
"""

import struct
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate, groupby

DIGITS = 6
HALF = 1 << DIGITS - 1
# Bits of an entry that are the count's, in memory and in an hour's four bytes, and in a minute's two.
WIDE, NARROW = 20, 6
MOST_WIDE, MOST_NARROW = (1 << WIDE) - 1, (1 << NARROW) - 1

Entries = Sequence[int]


def find_bin(time: int) -> int:
    """The number of the bin that a round trip (µs) falls into; greater times have no smaller bins."""
    shift = time.bit_length() - DIGITS
    return time if shift <= 0 else (time >> shift) + shift * HALF


def find_span(number: int) -> tuple[int, int]:
    """The least time (µs) of a bin, and its width."""
    shift = max(0, number // HALF - 1)
    return number - shift * HALF << shift, 1 << shift


def count_times(times: Iterable[int]) -> list[int]:
    """The entries of times (µs)."""
    counts = Counter(map(find_bin, times))
    return [number << WIDE | part for number, count in counts.items() for part in _split(count, MOST_WIDE)]


def list_bins(entries: Entries) -> list[tuple[int, int, int]]:
    """Least time, width (both µs) and count of every bin, ascending."""
    bins = groupby(sorted(entries), key=lambda entry: entry >> WIDE)
    return [(*find_span(number), sum(entry & MOST_WIDE for entry in same)) for number, same in bins]


def find_percentiles(entries: Entries, percents: Iterable[float]) -> list[int] | None:
    """For each per cent a time (µs) in the bin of the smallest time that so many did not exceed, so at most 3.1 %
    beside it; None where nothing was counted."""
    if not entries:
        return None
    ordered = sorted(entries)
    sums = list(accumulate([entry & MOST_WIDE for entry in ordered]))
    found = []
    for percent in percents:
        rank = max(1, -int(-sums[-1] * percent // 100))
        place = bisect_left(sums, rank)
        number = ordered[place] >> WIDE
        first, behind = bisect_left(ordered, number << WIDE), bisect_left(ordered, number + 1 << WIDE)
        below = sums[first - 1] if first else 0
        least, width = find_span(number)
        # Within a bin, whose entries may be many, we take the times as spread evenly.
        found.append(least + int(width * (rank - below - 0.5) / (sums[behind - 1] - below)))
    return found


def pack_wide(entries: Entries) -> bytes:
    """Entries as four bytes each, for the counts of hours."""
    return struct.pack(f"<{len(entries)}I", *sorted(entries))


def unpack_wide(data: bytes) -> tuple[int, ...]:
    """The entries of what `pack_wide` made, or of several such one after the other."""
    return struct.unpack(f"<{len(data) // 4}I", data)


def pack_narrow(entries: Entries) -> bytes:
    """Entries as two bytes each, for the counts of minutes; a greater count takes several."""
    split = [
        entry >> WIDE << NARROW | part for entry in sorted(entries) for part in _split(entry & MOST_WIDE, MOST_NARROW)
    ]
    return struct.pack(f"<{len(split)}H", *split)


def unpack_narrow(data: bytes) -> list[int]:
    """The entries of what `pack_narrow` made."""
    narrow = struct.unpack(f"<{len(data) // 2}H", data)
    return [entry >> NARROW << WIDE | entry & MOST_NARROW for entry in narrow]


def _split(count: int, most: int) -> list[int]:
    """A count as counts that are not above the most that fits."""
    return [most] * (count // most) + [count % most] * (count % most > 0)
