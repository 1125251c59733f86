"""What is usual for a host at an hour of the week: read from the hours of the weeks before it.

It looks only back, at hours that were rolled up by then: so history that is replayed finds what was found live.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from statistics import median_low

from django.utils import timezone

from monitor.histogram import find_percentiles, unpack_wide
from monitor.models import Hour

HOUR_US = 3_600_000_000
WEEKS, DAYS, HOURS = 4, 28, 28 * 24
# So many of the same hour of the week, else of the same hour of the day, else of any, are enough to call it usual.
ENOUGH_WEEKS, ENOUGH_DAYS, ENOUGH_HOURS = 2, 3, 6
# Fewer answers in an hour have no 95th percentile worth the name.
ENOUGH_ANSWERS = 10
# An hour may be rolled up late; one is read ahead, for whoever asks about once an hour.
LATE, AHEAD = 2, 2
# So many hours are asked for one by one; more, as a range.
FEW = 100

# 95th percentile and median, in µs.
Typical = tuple[int, int]
Look = Callable[[int], Typical | None]


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual for a host in each of some hours (counted from 1970)."""

    hours: dict[int, Typical] = field(default_factory=dict)

    def find(self, at_us: int) -> Typical | None:
        """The usual 95th percentile and median (µs) of the hour of a time (µs since 1970); None where nobody knows."""
        return self.hours.get(at_us // HOUR_US)


def read_usual(
    host_id: int, now: dt.datetime, since: dt.datetime | None = None, zone: dt.tzinfo | None = None
) -> Usual | None:
    """What is usual for a host from `since` (now, unless given) until two hours from now, by the hours of the week in a
    zone (the server's); None where that is nowhere known."""
    zone = zone or timezone.get_default_timezone()
    first, last = int((since or now).timestamp()) // 3600, int(now.timestamp()) // 3600 + AHEAD
    wanted = range(first, last + 1)
    same = {hour: _list_same(hour, WEEKS, 7, zone) for hour in wanted}
    weekly = _read(host_id, {each for hours in same.values() for each in hours})
    found = {hour: _agree(map(weekly.get, same[hour]), ENOUGH_WEEKS) for hour in wanted}
    if None in found.values():
        known = _read(host_id, range(first - HOURS, last - LATE + 1))
        found |= {hour: _look_wider(hour, known, zone) for hour in wanted if found[hour] is None}
    usual = {hour: typical for hour, typical in found.items() if typical}
    return Usual(usual) if usual else None


def _look_wider(hour: int, known: dict[int, Typical], zone: dt.tzinfo) -> Typical | None:
    """From the same hour of other days, or else from any."""
    daily = _agree(map(known.get, _list_same(hour, DAYS, 1, zone)), ENOUGH_DAYS)
    return daily or _agree(map(known.get, range(hour - HOURS, hour - LATE + 1)), ENOUGH_HOURS)


def _list_same(hour: int, number: int, days: int, zone: dt.tzinfo) -> list[int]:
    """The hours at the same time of the clocks of a zone, so many times so many days before."""
    local = dt.datetime.fromtimestamp(hour * 3600, zone)
    earlier = (local - dt.timedelta(days=days * step) for step in range(1, number + 1))
    return [int(moment.timestamp()) // 3600 for moment in earlier]


def _agree(found: Iterable[Typical | None], enough: int) -> Typical | None:
    """The median of several hours: one bad week among them makes nothing usual."""
    known = [typical for typical in found if typical]
    if len(known) < enough:
        return None
    return median_low([p95 for p95, _ in known]), median_low([median for _, median in known])


def _read(host_id: int, hours: Iterable[int]) -> dict[int, Typical]:
    wanted = set(hours)
    rows = Hour.objects.filter(host_id=host_id, received__gte=ENOUGH_ANSWERS)
    rows = rows.filter(hour__range=(min(wanted), max(wanted))) if len(wanted) > FEW else rows.filter(hour__in=wanted)
    found = rows.values_list("hour", "histogram")
    return {hour: typical for hour, data in found if hour in wanted and (typical := _count(bytes(data or b"")))}


def _count(histogram: bytes) -> Typical | None:
    found = find_percentiles(unpack_wide(histogram), (50, 95))
    return (found[1], found[0]) if found else None
