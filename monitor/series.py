"""Read the history of watched hosts as numbers: a chart's columns, the board's last hour, a week, a distribution.

Up to a day comes from the packets themselves and is exact; longer ranges come from the figures of minutes and hours,
whose percentiles are within 3.1 %. What is not rolled up yet is read from minutes.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.db.models import Max
from django.utils import timezone

from monitor.book import tally_minute
from monitor.buckets import DAY, HOUR, MINUTE, Series, bucket_figures, bucket_packets, find_width
from monitor.histogram import list_bins, pack_wide, unpack_narrow, unpack_wide
from monitor.minutes import read_minutes
from monitor.models import Host, Hour
from monitor.tally import FIGURES, Row, Tally, Unpack, merge, tally
from monitor.window import MINUTES, Counts, Now, Window

MOST_BUCKETS = 1500
WEEK = 7 * DAY
MOST_WEEKS_OF_MINUTES = 4
# Two weeks of minutes take 170 ms to read; longer ranges have hours enough for a chart.
MOST_MINUTES = 14 * DAY
# What is in a bucket of several hours takes sorting: of a year 365 days cost a quarter less than 1,460 times 6 hours.
MOST_OF_HOURS = 700


@dataclass(slots=True)
class Distribution:
    """How round trips spread: the figures of a range, and its bins as least time, width (both µs) and count."""

    total: Tally
    bins: list[tuple[int, int, int]]


def read_series(host: Host, since: dt.datetime, until: dt.datetime, buckets: int = MOST_BUCKETS) -> Series:
    """What came of the packets to a host between two times, in at most so many buckets."""
    start, end = _to_ms(since), max(_to_ms(since) + 1, _to_ms(until))
    # One bucket goes to begin at a multiple of the width.
    width = find_width(max((end - start) / (max(2, min(buckets, MOST_BUCKETS)) - 1), host.interval * 1000))
    source = _choose(start, end, width)
    if source == "minutes":
        width = max(width, MINUTE)
    elif source == "hours":
        width = max(width, HOUR, find_width((end - start) / MOST_OF_HOURS))
    start -= start % width
    number = -(-(end - start) // width)
    series = Series(width, source)
    if source == "packets":
        minutes = read_minutes(host.pk, start // MINUTE, -(-end // MINUTE))
        series.fill(start, bucket_packets(minutes, start, width, number))
    else:
        spans, unpack = _read_figures(host.pk, source, start, end)
        series.fill(start, bucket_figures(spans, unpack, start, width, number))
    return series


def read_now(hosts: Sequence[int], *, now: dt.datetime | None = None) -> dict[int, Now]:
    """The hour of hosts up to the last full minute, by host; those of which nothing was kept are left out."""
    end = _to_ms(now or timezone.now()) // MINUTE
    window = Window()
    window.take(read_counts(end - MINUTES, end, hosts), end - MINUTES, end)
    return window.sum_up()


def read_counts(since: int, until: int, hosts: Sequence[int] | None = None) -> Iterator[Counts]:
    """What minutes come to, from one until before another (since 1970), of hosts or of all; in one query."""
    chosen = "SELECT id FROM monitor_host" if hosts is None else ", ".join(["%s"] * len(hosts)) or "NULL"
    for host, minute, packets, *counts in _fetch(READ_COUNTS.format(chosen), *(hosts or ()), since, until):
        # With packets here the minute is under way, and has no figures yet.
        yield host, minute, *(counts if packets is None else _count(packets))


READ_COUNTS = """
    SELECT host_id, minute, CASE WHEN sent IS NULL THEN packets END, sent, received, median_us, jitter_sum_us
    FROM monitor_minute WHERE host_id IN ({}) AND minute >= %s AND minute < %s
"""


def read_hours_of_week(host: Host, weeks: int, zone: dt.tzinfo = dt.UTC) -> list[list[Tally | None]]:
    """For each weekday from Monday and each hour of the day, by the clocks of a zone, the figures of so many weeks.

    Where the clocks are half an hour beside UTC, hours of ours are in two of theirs: it is read from minutes, up to
    four weeks of them.
    """
    cells: list[list[list[Row]]] = [[[] for _ in range(24)] for _ in range(7)]
    end = _to_ms(timezone.now())
    source = "minutes" if weeks <= MOST_WEEKS_OF_MINUTES and _halves_hours(zone, end, weeks) else "hours"
    spans, unpack = _read_figures(host.pk, source, end - weeks * WEEK, end)
    for figures in spans:
        moment = dt.datetime.fromtimestamp(figures[0] / 1000, zone)
        cells[moment.weekday()][moment.hour].append(figures)
    return [[_merge(rows, unpack) if rows else None for rows in day] for day in cells]


def _halves_hours(zone: dt.tzinfo, end: int, weeks: int) -> bool:
    """Whether in so many weeks before `end` (ms since 1970) the clocks of a zone are ever no whole hours off."""
    moments = (dt.datetime.fromtimestamp((end - week * WEEK) / 1000, zone) for week in range(weeks + 1))
    return any(moment.utcoffset() % dt.timedelta(hours=1) for moment in moments)  # type: ignore[operator]


def read_distribution(host: Host, since: dt.datetime, until: dt.datetime) -> Distribution:
    """How the round trips of a host spread between two times, to the minute, or to the hour for a long range."""
    start, end = _to_ms(since), _to_ms(until)
    source = "minutes" if _choose(start, end, MINUTE) == "packets" else _choose(start, end, MINUTE)
    spans, unpack = _read_figures(host.pk, source, start, end)
    total = _merge(spans, unpack) if spans else tally([])
    return Distribution(total, list_bins(total.entries))


def _choose(start: int, end: int, width: int) -> str:
    """The finest source that is still kept from `start` (ms since 1970) on and not too long to read."""
    age = _to_ms(timezone.now()) - start
    if width <= MINUTE and end - start <= DAY + HOUR and age < settings.PINGSITE_KEEP_PACKETS_DAYS * DAY:
        return "packets"
    if width < HOUR and end - start <= MOST_MINUTES and age < settings.PINGSITE_KEEP_MINUTES_DAYS * DAY:
        return "minutes"
    return "hours"


def _read_figures(host: int, source: str, start: int, end: int) -> tuple[list[Row], Unpack]:
    """The figures of minutes or hours between two times (ms since 1970), by time, and what unpacks their histograms;
    behind the last hour rolled up come those of minutes."""
    if source == "minutes":
        return list(_read_minutes(host, start, end)), unpack_narrow
    spans: list[Row] = _fetch(READ_HOURS, host, start // HOUR, -(-end // HOUR))
    last = Hour.objects.filter(host_id=host).aggregate(last=Max("hour"))["last"]
    start = max(start, 0 if last is None else (last + 1) * HOUR)
    spans += [(*row, pack_wide(unpack_narrow(histogram))) for *row, histogram in _read_minutes(host, start, end)]
    return spans, unpack_wide


def _read_minutes(host: int, start: int, end: int) -> Iterator[Row]:
    for packets, *row in _fetch(READ_MINUTES, host, start // MINUTE, -(-end // MINUTE)):
        # With packets here the minute is under way, and has no figures yet.
        yield row if packets is None else (row[0], *tally_minute(bytes(packets)).figures)


READ_HOURS = f"""
    SELECT CAST(hour AS bigint) * 3600000, {", ".join(FIGURES)}
    FROM monitor_hour WHERE host_id = %s AND hour >= %s AND hour < %s ORDER BY hour
"""  # noqa: S608
READ_MINUTES = f"""
    SELECT CASE WHEN histogram IS NULL THEN packets END, CAST(minute AS bigint) * 60000, {", ".join(FIGURES)}
    FROM monitor_minute WHERE host_id = %s AND minute >= %s AND minute < %s ORDER BY minute
"""  # noqa: S608


def _fetch(question: str, *parameters: int) -> list[Row]:
    """All rows, as the database gives them: making them objects costs as much again."""
    with connection.cursor() as cursor:
        cursor.execute(question, parameters)
        return cursor.fetchall()


def _merge(rows: list[Row], unpack: Unpack) -> Tally:
    total = merge(rows, unpack)
    middle = total.percentiles((50,))
    return total._replace(median_us=middle[0] if middle else None)


def _count(packets: bytes) -> tuple[int, int, int | None, int]:
    counted = tally_minute(bytes(packets))
    return counted.sent, counted.received, counted.median_us, counted.jitter_sum_us


def _to_ms(moment: dt.datetime) -> int:
    return round(moment.timestamp() * 1000)
