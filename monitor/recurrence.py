"""Pure times that recur: an RRULE on the wall clock of a zone → spans of time, right across summer time."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

UNITS = {"DAILY": dt.timedelta(days=1), "WEEKLY": dt.timedelta(weeks=1), "MONTHLY": None, "YEARLY": None}
PARTS = {
    "FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS",
    "BYHOUR", "BYMINUTE",
}  # fmt: skip
MOST_A_DAY = 24
MOST_COUNT, MOST_INTERVAL = 10_000, 1000
LONGEST = dt.timedelta(days=7)
YEARS = range(2000, 2200)
DAY = dt.timedelta(days=1)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
END = dt.datetime(2300, 1, 1, tzinfo=dt.UTC)
# dateutil looks for the next time up to the year 9999, which takes 6 s where there is none. The calendar repeats every
# 400 years, so we let it look from within the last of these, 0.4 s at most.
CYCLE, LAST_YEAR = 400, dt.MAXYEAR - 1
FAR = dt.datetime(LAST_YEAR, 1, 1)  # noqa: DTZ001 - of a wall clock
# So many are looked at for two that overlap: more than in the longest way that daily, weekly and monthly ones recur.
SAMPLE = 400

Span = tuple[dt.datetime, dt.datetime]


class BadRecurrence(ValueError):
    """A recurrence that cannot be; `code` says why, and `field` is "zone", "recurrence", "minutes" or "starts_on"."""

    def __init__(self, field: str, code: str) -> None:
        super().__init__(f"{field}: {code}")
        self.field, self.code = field, code


@dataclass(frozen=True, slots=True)
class Recurrence:
    """What begins at `first` on the wall clock of `zone`, takes `length` of elapsed time, and recurs by `rule`, an
    RRULE without UNTIL ("" for once), up to `until`."""

    first: dt.datetime
    zone: ZoneInfo
    length: dt.timedelta
    rule: str = ""
    until: dt.datetime = END

    def list_spans(self, since: dt.datetime, until: dt.datetime = END, most: int = 1000) -> list[Span]:
        """The first so many spans that overlap the time between these two, whole and in UTC, by their starts."""
        if not self.rule:
            starts = iter((self.first,))
        else:
            starts = self._iterate(self._to_wall(max(since - self.length, EPOCH)) - DAY)
        # Where a gap of the clock moves one time past the next, the order of the wall clock is not that of time.
        found = set(islice(self._resolve(starts, since, until), most + 2 * MOST_A_DAY))
        return [(start, start + self.length) for start in sorted(found)[:most]]

    def _resolve(self, starts: Iterator[dt.datetime], since: dt.datetime, until: dt.datetime) -> Iterator[dt.datetime]:
        """The moments of those that count. A time that the clock skips moves on by what is skipped, and of one that
        the clock shows twice it is the first: so does a fold of 0."""
        end = self._to_wall(min(until, self.until)) + DAY
        for wall in starts:
            if wall > end:
                return
            start = wall.replace(tzinfo=self.zone).astimezone(dt.UTC)
            if start < until and start <= self.until and start + self.length > since:
                yield start

    def _iterate(self, since: dt.datetime) -> Iterator[dt.datetime]:
        """The times on the wall clock, from some time before `since` on."""
        first = self._skip(since)
        years = (LAST_YEAR - first.year) // CYCLE * CYCLE
        for found in rrulestr(self.rule, dtstart=first.replace(year=first.year + years)):
            yield found.replace(year=found.year - years)

    def _skip(self, since: dt.datetime) -> dt.datetime:
        """The first time, or one so many whole periods later that is not after `since`."""
        parts = dict(part.split("=") for part in self.rule.split(";"))
        unit = UNITS[parts["FREQ"]]
        if unit is None or "COUNT" in parts or since <= self.first:
            return self.first
        period = unit * int(parts.get("INTERVAL", 1))
        return self.first + (since - self.first) // period * period

    def _to_wall(self, moment: dt.datetime) -> dt.datetime:
        return moment.astimezone(self.zone).replace(tzinfo=None)


def make_recurrence(first: dt.datetime, zone: str, length: dt.timedelta, rule: str = "") -> Recurrence:
    """A recurrence whose parts make sense; `BadRecurrence` says which does not."""
    if first.year not in YEARS:
        raise BadRecurrence("starts_on", "far")
    if not dt.timedelta(0) < length <= LONGEST:
        raise BadRecurrence("minutes", "length")
    clock = find_zone(zone)
    parts = _read_parts(rule)
    until = _read_until(parts.pop("UNTIL"), clock) if "UNTIL" in parts else END
    return Recurrence(first, clock, length, ";".join(f"{name}={value}" for name, value in parts.items()), until)


def check_recurrence(recurrence: Recurrence) -> None:
    """Refuse what never begins, and what begins again before it ends: that one would never be over. `BadRecurrence`."""
    try:
        spans = recurrence.list_spans(EPOCH, most=SAMPLE)
    except (ValueError, IndexError) as bad:
        # What dateutil finds only when it begins to look: an hour of 25, a sixth Monday of a month.
        raise BadRecurrence("recurrence", "syntax") from bad
    if not spans:
        raise BadRecurrence("recurrence", "never")
    walls = [start.astimezone(recurrence.zone).replace(tzinfo=None) for start, _ in spans]
    # By the wall clock: a day of 23 hours does not make daily windows of 24 overlap.
    if any(later - start < recurrence.length for start, later in pairwise(walls)):
        raise BadRecurrence("minutes", "overlap")


def find_zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name; `BadRecurrence`."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # No such zone; a path that leads outside; a folder of zones.
        raise BadRecurrence("zone", "unknown") from None


def _read_parts(rule: str) -> dict[str, str]:
    """The parts of an RRULE, by name; none of "" is once."""
    text = "".join(rule.upper().split()).removeprefix("RRULE:").rstrip(";")
    if not text:
        return {}
    if "DTSTART" in text:
        raise BadRecurrence("recurrence", "start")
    pairs = [part.split("=") for part in text.split(";")]
    parts = {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and pair[1]}
    if not text.isascii() or len(parts) != len(pairs) or not set(parts) <= PARTS | {"BYSECOND"}:
        raise BadRecurrence("recurrence", "syntax")
    _check_parts(parts)
    return parts


def _check_parts(parts: dict[str, str]) -> None:
    if parts.get("FREQ") in ("HOURLY", "MINUTELY", "SECONDLY") or "BYSECOND" in parts:
        raise BadRecurrence("recurrence", "often")
    if parts.get("FREQ") not in UNITS:
        raise BadRecurrence("recurrence", "syntax")
    times = [len(set(parts.get(name, "0").split(","))) for name in ("BYHOUR", "BYMINUTE")]
    if times[0] * times[1] > MOST_A_DAY:
        raise BadRecurrence("recurrence", "often")
    if "COUNT" in parts and "UNTIL" in parts:
        raise BadRecurrence("recurrence", "ends")
    # An interval of 0 would keep dateutil busy for ever.
    for name, most in (("INTERVAL", MOST_INTERVAL), ("COUNT", MOST_COUNT)):
        if not (text := parts.get(name, "1")).isdigit() or len(text) > 5 or not 1 <= int(text) <= most:
            raise BadRecurrence("recurrence", "number")
    try:
        rrulestr(";".join(f"{name}={value}" for name, value in parts.items() if name != "UNTIL"), dtstart=FAR)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as bad:
        raise BadRecurrence("recurrence", "syntax") from bad


def _read_until(text: str, zone: ZoneInfo) -> dt.datetime:
    """The last moment at which one may begin: UTC with a Z, by the wall clock without, and all of a day."""
    for form, clock, more in (
        ("%Y%m%dT%H%M%SZ", dt.UTC, dt.timedelta(0)),
        ("%Y%m%dT%H%M%S", zone, dt.timedelta(0)),
        ("%Y%m%d", zone, DAY - dt.timedelta(microseconds=1)),
    ):
        try:
            found = (dt.datetime.strptime(text, form) + more).replace(tzinfo=clock)  # noqa: DTZ007 - it follows
        except (ValueError, OverflowError):
            continue
        return found.astimezone(dt.UTC) if EPOCH.year < found.year < END.year else END
    raise BadRecurrence("recurrence", "until")
