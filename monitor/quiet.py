"""Quiet hours: when they are over, by the wall clock of a zone."""

import datetime as dt
from zoneinfo import ZoneInfo

DAY = dt.timedelta(days=1)


def end_quiet(now: dt.datetime, zone: str, begin: dt.time | None, end: dt.time | None) -> dt.datetime | None:
    """When the quiet hours are over that `now` (aware) is in, in UTC; None where it is in none.

    From `begin` to `end` of each day, over midnight where `end` is the earlier; none where one is missing or both are
    the same. A wall-clock time that summer time skips is as late as it would have been without; one that comes twice
    is the first.
    """
    if begin is None or end is None or begin == end:
        return None
    place = find_place(zone)
    today = now.astimezone(place).date()
    for day in (today - DAY, today):
        first = _place(day, begin, place)
        last = _place(day if begin < end else day + DAY, end, place)
        if first <= now < last:
            return last
    return None


def find_place(zone: str) -> dt.tzinfo:
    """A zone by its name; UTC where an update of the system took it away, so that people are told all the same."""
    try:
        return ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        return dt.UTC


def _place(day: dt.date, time: dt.time, place: dt.tzinfo) -> dt.datetime:
    return dt.datetime.combine(day, time, place).astimezone(dt.UTC)
