"""Series: the true counts and percentiles from whichever source, gaps as gaps, never a zero that nobody measured."""

import datetime as dt
import random
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from monitor.buckets import COLUMNS, WIDTHS, find_width
from monitor.models import Host, Hour, Minute
from monitor.packing import LOST, Code
from monitor.rollup import tidy_history
from monitor.series import MOST_BUCKETS, read_counts, read_distribution, read_hours_of_week, read_now, read_series
from monitor.tally import find_exact
from tests.watch.histories import new_host, write_minute, write_minutes

pytestmark = pytest.mark.django_db

MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
DAY = 24 * HOUR


def a_while_ago(span: dt.timedelta) -> dt.datetime:
    """So long ago, to the hour."""
    return (timezone.now() - span).replace(minute=0, second=0, microsecond=0)


def draw(second: int) -> int:
    chance = random.Random(second)
    kind = chance.random()
    if kind < 0.02:
        return LOST
    return Code.ASLEEP if kind < 0.03 else round(chance.gauss(12_000, 400))


def expect(since: dt.datetime, seconds: int) -> tuple[int, int, int, list[int]]:
    """Sent, received, not measured, and the sorted round trips of a span."""
    first = int(since.timestamp())
    drawn = [draw(second) for second in range(first, first + seconds)]
    times = sorted(value for value in drawn if value >= 0)
    asleep = drawn.count(Code.ASLEEP)
    return len(drawn) - asleep, len(times), asleep, times


def test_a_short_range_is_exact() -> None:
    host, since = new_host(), a_while_ago(3 * HOUR)
    write_minutes(host, since, 60, draw)
    series = read_series(host, since, since + HOUR, 61)
    assert (series.source, series.width_ms, set(series.columns)) == ("packets", 60_000, set(COLUMNS))
    for place in range(60):
        at = since + place * MINUTE
        sent, received, asleep, times = expect(at, 60)
        row = {name: column[place] for name, column in series.columns.items()}
        assert row == {
            "t": int(at.timestamp()) * 1000, "sent": sent, "received": received, "not_measured": asleep,
            "reason": Code.ASLEEP if asleep else None, "loss": 1 - received / sent,
            "min": times[0], "max": times[-1], "p5": find_exact(times, 5), "p25": find_exact(times, 25),
            "median": find_exact(times, 50), "p75": find_exact(times, 75), "p95": find_exact(times, 95),
        }  # fmt: skip


def test_five_minutes_show_every_packet() -> None:
    host, since = new_host(), a_while_ago(2 * HOUR)
    write_minutes(host, since, 5, draw)
    series = read_series(host, since, since + 5 * MINUTE)
    assert (series.width_ms, len(series.columns["t"])) == (1000, 300)
    first = int(since.timestamp())
    answered = [draw(first + place) for place in range(300)]
    assert series.columns["median"] == [value if value >= 0 else None for value in answered]
    assert series.columns["loss"] == [1 if value == LOST else None if value < 0 else 0 for value in answered]


@pytest.mark.parametrize("tidied", [False, True])
@pytest.mark.parametrize(("span", "source"), [(4 * DAY, "minutes"), (16 * DAY, "hours")])
def test_a_long_range_has_true_counts_and_percentiles_within_a_bin(
    span: dt.timedelta, source: str, tidied: bool
) -> None:
    host, since = new_host(), a_while_ago(span)
    write_minutes(host, since, 150, draw)
    if tidied:
        list(tidy_history(timezone.now()))
        assert Hour.objects.exists()
    series = read_series(host, since, since + span, 500)
    assert series.source == source
    place = series.columns["t"].index(int(since.timestamp()) * 1000)
    filled = [place for place, sent in enumerate(series.columns["sent"]) if sent is not None]
    assert filled == list(range(place, place + -(-150 * 60_000 // series.width_ms)))
    sent, received, asleep, times = expect(since, series.width_ms // 1000)
    row = {name: column[place] for name, column in series.columns.items()}
    assert (row["sent"], row["received"], row["not_measured"]) == (sent, received, asleep)
    assert (row["min"], row["max"], row["reason"]) == (times[0], times[-1], Code.ASLEEP)
    for name, percent in {"p5": 5, "p25": 25, "median": 50, "p75": 75, "p95": 95}.items():
        assert row[name] == pytest.approx(find_exact(times, percent), rel=1 / 32)


def test_a_bucket_without_data_is_none_and_one_that_was_not_measured_says_why() -> None:
    host, since = new_host(), a_while_ago(3 * HOUR)
    first = int(since.timestamp()) // 60
    write_minute(host, first, [1000] * 60)
    write_minute(host, first + 2, [Code.NO_NAME] * 60)
    write_minute(host, first + 3, [LOST] * 60)
    columns = read_series(host, since, since + HOUR, 61).columns
    assert columns["sent"][:5] == [60, None, 0, 60, None]
    assert columns["loss"][:5] == [0, None, None, 1, None]
    assert columns["reason"][:5] == [None, None, Code.NO_NAME, None, None]
    assert columns["median"][:5] == [1000, None, None, None, None]


def test_packets_that_are_no_longer_kept_leave_the_figures_of_minutes() -> None:
    host, since = new_host(), a_while_ago(40 * DAY)
    write_minutes(host, since, 120, draw)
    Minute.objects.update(packets=None)
    series = read_series(host, since, since + 2 * HOUR)
    assert (series.source, series.width_ms) == ("minutes", 60_000)
    assert series.columns["sent"] == [expect(since + place * MINUTE, 60)[0] for place in range(120)]


@pytest.mark.parametrize("days", [0.003, 0.04, 1, 7, 30, 365, 3650])
def test_there_are_never_more_buckets_than_asked_for_and_they_stay_where_they_are(days: float) -> None:
    host, until = new_host(), timezone.now()
    for buckets in (2, 100, MOST_BUCKETS, 10_000):
        series = read_series(host, until - days * DAY, until, buckets)
        assert 1 <= len(series.columns["t"]) <= min(buckets, MOST_BUCKETS)
        assert all(at % series.width_ms == 0 for at in series.columns["t"])
        assert series.columns["t"][0] <= (until - days * DAY).timestamp() * 1000


def test_a_slow_host_has_no_gaps_between_its_packets() -> None:
    host, since = new_host(interval=300.0), a_while_ago(5 * HOUR)
    for minute in range(0, 240, 5):
        write_minute(host, int(since.timestamp()) // 60 + minute, [1000], interval_ms=300_000)
    columns = read_series(host, since, since + 4 * HOUR).columns
    assert columns["sent"] == [1] * 48


def test_a_range_that_makes_no_sense_has_no_data() -> None:
    host, now = new_host(), timezone.now()
    assert set(read_series(host, now, now - DAY).columns["sent"]) == {None}


def test_widths_divide_one_another_up_to_a_day() -> None:
    assert sorted(WIDTHS) == list(WIDTHS)
    assert all(86_400_000 % width == 0 for width in WIDTHS if width <= 86_400_000)
    assert find_width(57_600) == 60_000
    assert find_width(WIDTHS[-1] + 0.5) == 2 * WIDTHS[-1]


def test_the_board_reads_an_hour_of_every_host_in_one_query() -> None:
    now = timezone.now().replace(second=30)
    first = int(now.timestamp()) // 60 - 60
    alice, bob, charlie = (new_host(name) for name in ("alice", "bob", "charlie"))
    for minute in range(first - 5, first + 61):
        write_minute(alice, minute, [1000, 3000, LOST, 2000])
    write_minute(bob, first + 58, [Code.ASLEEP] * 4)
    # The turn of the minute is just over: no figures yet.
    write_minute(bob, first + 59, [4000, LOST], counted=False)
    with CaptureQueriesContext(connection) as queries:
        found = read_now([alice.pk, bob.pk, charlie.pk], now=now)
    assert len(queries) == 1
    assert set(found) == {alice.pk, bob.pk}
    assert (found[alice.pk].loss, found[alice.pk].median_us, found[alice.pk].jitter_us) == (0.25, 2000, 1500)
    assert found[alice.pk].strip == [(2000, 0.25)] * 60
    assert found[bob.pk].strip == [None] * 58 + [(None, None), (4000, 0.5)]
    assert (found[bob.pk].loss, found[bob.pk].jitter_us) == (0.5, None)
    assert {host for host, *_ in read_counts(first, first + 60)} == {alice.pk, bob.pk}
    assert set(read_now([bob.pk, charlie.pk], now=now)) == {bob.pk}
    assert read_now([], now=now) == {}


def test_the_week_is_by_the_clocks_of_the_reader() -> None:
    host, zone = new_host(), ZoneInfo("Asia/Seoul")
    since = a_while_ago(10 * DAY)
    write_minutes(host, since, 60, lambda second: 1000)
    write_minutes(host, since + 7 * DAY, 60, lambda second: LOST)
    week = read_hours_of_week(host, 2, zone)
    assert [len(day) for day in week] == [24] * 7
    local = since.astimezone(zone)
    cell = week[local.weekday()][local.hour]
    assert cell is not None
    assert (cell.sent, cell.received) == (7200, 3600)
    assert cell.median_us == pytest.approx(1000, rel=1 / 32)
    assert sum(cell is not None for day in week for cell in day) == 1


@pytest.mark.parametrize("name", ["Asia/Kolkata", "Australia/Lord_Howe", "Asia/Kathmandu", "Europe/Berlin"])
@pytest.mark.parametrize("tidied", [False, True])
def test_a_week_counts_each_minute_in_the_hour_that_its_clocks_showed(name: str, tidied: bool) -> None:
    host, zone, since = new_host(), ZoneInfo(name), a_while_ago(6 * DAY)
    write_minutes(host, since, 180, lambda second: 1000 if second // 60 % 60 < 20 else 5000)
    if tidied:
        list(tidy_history(timezone.now()))
    expected: dict[tuple[int, int], int] = {}
    for minute in range(180):
        local = (since + minute * MINUTE).astimezone(zone)
        place = local.weekday(), local.hour
        expected[place] = expected.get(place, 0) + 60
    week = read_hours_of_week(host, 4, zone)
    found = {(day, hour): cell.sent for day, row in enumerate(week) for hour, cell in enumerate(row) if cell}
    assert found == expected


def test_the_hour_that_comes_twice_and_the_one_that_never_comes_are_where_the_clocks_had_them() -> None:
    zone = ZoneInfo("Europe/Berlin")
    shift = next(
        at for days in range(400)
        if (at := a_while_ago(days * DAY).replace(hour=0)).astimezone(zone).utcoffset()
        != (at + DAY).astimezone(zone).utcoffset()
    )  # fmt: skip
    host, weeks = new_host(), (timezone.now() - shift).days // 7 + 1
    write_minutes(host, shift, 4 * 60, lambda second: 1000)
    list(tidy_history(timezone.now()))
    day = read_hours_of_week(host, weeks, zone)[shift.astimezone(zone).weekday()]
    local = [(shift + number * HOUR).astimezone(zone).hour for number in range(4)]
    assert {hour: cell.sent // 3600 for hour, cell in enumerate(day) if cell} == {
        hour: local.count(hour) for hour in set(local)
    }
    assert local in ([1, 3, 4, 5], [2, 2, 3, 4])


def test_a_distribution_counts_every_answer() -> None:
    host, since = new_host(), a_while_ago(3 * HOUR)
    write_minutes(host, since, 30, draw)
    sent, received, asleep, times = expect(since, 1800)
    found = read_distribution(host, since, since + 30 * MINUTE)
    assert (found.total.sent, found.total.received, found.total.not_measured) == (sent, received, asleep)
    assert sum(count for _, _, count in found.bins) == received
    for least, width, count in found.bins:
        assert count == sum(least <= time < least + width for time in times)


def test_what_is_not_rolled_up_yet_is_read_from_minutes_and_nothing_twice() -> None:
    host, since = new_host(), a_while_ago(16 * DAY)
    write_minutes(host, since, 150, draw)
    list(tidy_history(since + 151 * MINUTE))
    assert Hour.objects.count() == 2
    found = read_distribution(host, since, since + 16 * DAY)
    assert found.total.sent == expect(since, 150 * 60)[0]


def test_a_history_of_nothing_reads_as_nothing() -> None:
    host, now = Host(pk=99), timezone.now()
    assert read_distribution(host, now - DAY, now).bins == []
    assert list(read_counts(0, 1 << 31)) == []
    assert all(cell is None for day in read_hours_of_week(host, 4) for cell in day)
