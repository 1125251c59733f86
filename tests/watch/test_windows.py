"""Maintenance windows: on the wall clock of their zone, right across summer time, and bounded whatever was typed."""

import datetime as dt
import time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.models import Maintenance
from monitor.recurrence import BadRecurrence, Recurrence
from monitor.windows import Calendar, check_window, list_spans, read_calendar, read_recurrence
from tests.watch.histories import new_host

UTC = dt.UTC
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Seoul", "Asia/Kathmandu")


def window(start: str, zone: str = "UTC", minutes: int = 60, recurrence: str = "", **fields: object) -> Maintenance:
    """A window that begins first at `YYYY-MM-DD HH:MM` on the clocks of a zone."""
    moment = dt.datetime.fromisoformat(start)
    return Maintenance(
        name="w",
        starts_on=moment.date(),
        starts_at=moment.time(),
        zone=zone,
        minutes=minutes,
        recurrence=recurrence,
        **fields,
    )


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=UTC)


def starts(found: list[tuple[dt.datetime, dt.datetime]]) -> list[str]:
    return [f"{start:%m-%d %H:%M}" for start, _ in found]


# Three nights each: before, in which, and after which the clocks change.
@pytest.mark.parametrize(
    ("zone", "first", "expected"),
    [
        # 02:30 does not exist on 29 March and is 03:30; 02:30 on 25 October is twice, and the first counts.
        ("Europe/Berlin", "2026-03-28 02:30", ["03-28 01:30", "03-29 01:30", "03-30 00:30"]),
        ("Europe/Berlin", "2026-10-24 02:30", ["10-24 00:30", "10-25 00:30", "10-26 01:30"]),
        ("America/New_York", "2026-03-07 02:30", ["03-07 07:30", "03-08 07:30", "03-09 06:30"]),
        ("America/New_York", "2026-10-31 01:30", ["10-31 05:30", "11-01 05:30", "11-02 06:30"]),
        # Half an hour: 02:00 becomes 02:30 on 4 October, and 02:00 becomes 01:30 on 5 April.
        ("Australia/Lord_Howe", "2026-10-03 02:15", ["10-02 15:45", "10-03 15:45", "10-04 15:15"]),
        ("Australia/Lord_Howe", "2026-04-04 01:45", ["04-03 14:45", "04-04 14:45", "04-05 15:15"]),
    ],
)
def test_the_wall_clock_holds_across_both_changes(zone: str, first: str, expected: list[str]) -> None:
    found = list_spans(window(first, zone, 90, "FREQ=DAILY"), at("2026-01-01"), most=3)
    assert starts(found) == expected
    assert {end - start for start, end in found} == {90 * MINUTE}


def test_a_window_across_the_change_takes_as_long_as_it_says() -> None:
    ((start, end),) = list_spans(window("2026-03-29 01:00", "Europe/Berlin", 120), at("2026-01-01"))
    assert (end - start, end.astimezone(ZoneInfo("Europe/Berlin")).hour) == (120 * MINUTE, 4)


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus", "", "../etc/passwd", "/etc/localtime", "Europe", "UTC\0", "한국", "x" * 5000]
)
def test_a_zone_that_does_not_exist_is_refused(zone: str) -> None:
    with pytest.raises(BadRecurrence) as refused:
        check_window(window("2026-11-01 03:00", zone))
    assert (refused.value.field, refused.value.code) == ("zone", "unknown")


@pytest.mark.parametrize(
    ("recurrence", "field", "code"),
    [
        ("FREQ=MINUTELY", "recurrence", "often"),
        ("FREQ=SECONDLY;COUNT=3", "recurrence", "often"),
        ("FREQ=HOURLY;INTERVAL=12", "recurrence", "often"),
        ("FREQ=DAILY;BYHOUR=0,1,2,3,4;BYMINUTE=0,10,20,30,40", "recurrence", "often"),
        ("FREQ=DAILY;BYSECOND=0,1,2", "recurrence", "often"),
        ("DTSTART:20260101T000000\nRRULE:FREQ=DAILY", "recurrence", "start"),
        ("FREQ=DAILY;DTSTART=20260101T000000", "recurrence", "start"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "recurrence", "ends"),
        ("FREQ=DAILY;INTERVAL=0", "recurrence", "number"),
        ("FREQ=DAILY;INTERVAL=-1", "recurrence", "number"),
        ("FREQ=DAILY;INTERVAL=100000000000000", "recurrence", "number"),
        ("FREQ=DAILY;COUNT=0", "recurrence", "number"),
        ("FREQ=DAILY;UNTIL=tomorrow", "recurrence", "until"),
        ("FREQ=DAILY;UNTIL=20261332", "recurrence", "until"),
        ("FREQ=DAILY;UNTIL=20200101", "recurrence", "never"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "recurrence", "never"),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=TU", "recurrence", "never"),
        ("FREQ=DAILY;BYSETPOS=5", "recurrence", "never"),
        ("FREQ=DAILY;BYHOUR=25", "recurrence", "syntax"),
        ("FREQ=MONTHLY;BYDAY=9MO", "recurrence", "syntax"),
        ("FREQ=YEARLY;BYMONTH=0;BYDAY=1MO", "recurrence", "syntax"),
        ("FREQ=WEEKLY;BYDAY=XX", "recurrence", "syntax"),
        ("FREQ=DAILY;FREQ=WEEKLY", "recurrence", "syntax"),
        ("FREQ=DAILY;INTERVAL=１", "recurrence", "syntax"),
        ("FREQ=FORTNIGHTLY", "recurrence", "syntax"),
        ("every day", "recurrence", "syntax"),
        ("INTERVAL=2", "recurrence", "syntax"),
        ("FREQ=DAILY;EXDATE=20260101", "recurrence", "syntax"),
        ("FREQ==DAILY", "recurrence", "syntax"),
        ("FREQ=DAILY;BYHOUR=3;BYMINUTE=0,30", "minutes", "overlap"),
    ],
)  # fmt: skip
def test_a_recurrence_that_makes_no_sense_is_refused_with_the_reason(recurrence: str, field: str, code: str) -> None:
    began = time.process_time()
    with pytest.raises(BadRecurrence) as refused:
        check_window(window("2026-11-30 03:00", recurrence=recurrence))
    assert (refused.value.field, refused.value.code) == (field, code)
    # dateutil by itself looks for those that never come until the year 9999.
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    ("minutes", "start"), [(0, "2026-01-01"), (7 * 1440 + 1, "2026-01-01"), (60, "1970-01-01"), (60, "9999-12-31")]
)
def test_lengths_and_days_out_of_bounds_are_refused(minutes: int, start: str) -> None:
    with pytest.raises(BadRecurrence):
        check_window(window(f"{start} 00:00", minutes=minutes))


def test_a_window_that_begins_where_it_ends_is_no_overlap_even_on_a_day_of_23_hours() -> None:
    check_window(window("2026-03-28 00:00", "Europe/Berlin", 1440, "FREQ=DAILY;COUNT=3"))


def test_a_recurrence_without_end_is_bounded_and_quick_far_from_its_beginning() -> None:
    endless = window("2001-01-01 03:00", "Europe/Berlin", 30, "FREQ=DAILY;BYHOUR=1,3,5")
    check_window(endless)
    began = time.process_time()
    found = list_spans(endless, at("2099-07-01"), most=5)
    assert starts(found) == ["07-01 01:00", "07-01 03:00", "07-01 23:00", "07-02 01:00", "07-02 03:00"]
    assert len(list_spans(endless, at("2026-01-01"))) == 1000
    assert time.process_time() - began < 3


def test_the_phase_of_an_interval_is_that_of_the_first_day() -> None:
    found = list_spans(window("2026-01-05 03:00", recurrence="FREQ=WEEKLY;INTERVAL=2"), at("2026-11-01"), most=2)
    assert starts(found) == ["11-09 03:00", "11-23 03:00"]
    found = list_spans(window("2026-01-01 03:00", recurrence="FREQ=DAILY;INTERVAL=3"), at("2026-11-01"), most=2)
    assert starts(found) == ["11-03 03:00", "11-06 03:00"]


def test_the_count_is_that_of_all_times() -> None:
    counted = window("2026-01-01 03:00", recurrence="FREQ=DAILY;COUNT=4")
    assert starts(list_spans(counted, at("2026-01-03"))) == ["01-03 03:00", "01-04 03:00"]


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20260103T030000Z", "01-03 02:00"),  # 03:00 UTC is 04:00 in Berlin
        ("20260103T020000Z", "01-03 02:00"),
        ("20260103T015959Z", "01-02 02:00"),
        ("20260103T030000", "01-03 02:00"),  # without Z by the wall clock
        ("20260103T025959", "01-02 02:00"),
        ("20260103", "01-03 02:00"),  # all of that day
        ("99991231T235959Z", "01-06 02:00"),
    ],
)
def test_until_is_inclusive_in_whichever_way_it_is_written(until: str, last: str) -> None:
    ending = window("2026-01-01 03:00", "Europe/Berlin", recurrence=f"rrule:freq=daily;until={until};")
    assert starts(list_spans(ending, at("2026-01-01"), at("2026-01-06 12:00")))[-1] == last


def test_what_began_before_is_still_seen() -> None:
    long = window("2026-01-01 00:00", minutes=7 * 1440)
    assert len(list_spans(long, at("2026-01-07 23:59"))) == 1
    assert list_spans(long, at("2026-01-08")) == []


# Monthly and yearly ones are sparse; so the model need not look at years of minutes.
RULES = st.sampled_from(
    ["", "FREQ=DAILY", "FREQ=DAILY;INTERVAL=2", "FREQ=DAILY;BYHOUR=1,2,3", "FREQ=WEEKLY;BYDAY=SU,MO", "FREQ=MONTHLY",
     "FREQ=MONTHLY;BYDAY=-1SU", "FREQ=DAILY;COUNT=3", "FREQ=YEARLY"]
)  # fmt: skip


def is_due(rule: str, first: dt.datetime, wall: dt.datetime) -> bool:
    """Whether a time on the wall clock is one of a rule's, as a person with a diary would say; no dateutil."""
    days = (wall.date() - first.date()).days
    if days < 0 or wall < first:
        return False
    hours = (1, 2, 3) if "BYHOUR" in rule else (first.hour,)
    if wall.hour not in hours or (wall.minute, wall.second) != (first.minute, first.second):
        return False
    last_sunday = wall.weekday() == 6 and (wall + 7 * DAY).month != wall.month
    return {
        "": days == 0, "FREQ=DAILY": True, "FREQ=DAILY;INTERVAL=2": days % 2 == 0, "FREQ=DAILY;BYHOUR=1,2,3": True,
        "FREQ=WEEKLY;BYDAY=SU,MO": wall.weekday() in (6, 0), "FREQ=MONTHLY": wall.day == first.day,
        "FREQ=MONTHLY;BYDAY=-1SU": last_sunday, "FREQ=DAILY;COUNT=3": days < 3,
        "FREQ=YEARLY": (wall.month, wall.day) == (first.month, first.day),
    }[rule]  # fmt: skip


def model(planned: Maintenance, since: dt.datetime, until: dt.datetime) -> set[dt.datetime]:
    """Every minute of maintenance between two, by looking at each minute of the wall clock for a start."""
    zone, first = ZoneInfo(planned.zone), dt.datetime.combine(planned.starts_on, planned.starts_at)
    covered, length = set(), planned.minutes * MINUTE
    wall = (since - length - 2 * DAY).replace(tzinfo=None)
    while wall < (until + 2 * DAY).replace(tzinfo=None):
        if is_due(planned.recurrence, first, wall):
            # A clock that shows it: the first moment. Else it is skipped, and as much later as the clock jumps.
            offsets = sorted(
                {(wall.replace(tzinfo=UTC) + n * 3 * 60 * MINUTE).astimezone(zone).utcoffset() for n in range(-9, 9)}
            )
            shown = [
                m
                for o in offsets
                if (m := (wall - o).replace(tzinfo=UTC)).astimezone(zone).replace(tzinfo=None) == wall
            ]
            start = min(shown) if shown else (wall - offsets[0]).replace(tzinfo=UTC)
            covered |= {start + n * MINUTE for n in range(planned.minutes)}
        wall += MINUTE
    return {moment for moment in covered if since <= moment < until}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    zone=st.sampled_from(ZONES), rule=RULES, minutes=st.integers(1, 59),
    month=st.sampled_from([("2026-03-27", 4), ("2026-03-06", 4), ("2026-10-23", 5), ("2026-10-30", 4), ("2026-04-03", 4), ("2026-10-02", 4)]),
    hour=st.integers(0, 4), minute=st.sampled_from([0, 15, 30, 59]),
)  # fmt: skip
def test_every_minute_is_as_a_slow_model_has_it(
    zone: str, rule: str, minutes: int, month: tuple[str, int], hour: int, minute: int
) -> None:
    day, days = month
    planned = window(f"{day} {hour:02}:{minute:02}", zone, minutes, rule)
    since, until = at(day), at(day) + days * DAY
    calendar = Calendar([])
    found = {
        start + n * MINUTE for start, end in list_spans(planned, since, until) for n in range((end - start) // MINUTE)
    }
    assert {moment for moment in found if since <= moment < until} == model(planned, since, until)
    assert not calendar.spans(new_host_unsaved(), since, until)


def new_host_unsaved() -> object:
    from monitor.models import Host

    return Host(pk=1, name="alice")


@pytest.mark.django_db
def test_a_calendar_knows_whom_a_window_concerns(django_assert_num_queries: object) -> None:
    alice, bob = new_host("alice", group="lab"), new_host("bob", tags=["edge"])
    charlie, dave = new_host("charlie"), new_host("dave")
    for fields in ({"group": "lab"}, {"tag": "edge"}, {}):
        planned = window("2026-01-01 00:00", **fields)
        if not fields:
            planned.starts_at = dt.time(12)
        planned.save()
    named = window("2026-01-02 00:00")
    named.save()
    named.hosts.add(charlie)
    gone = window("2026-01-03 00:00", cancelled=True)
    gone.save()
    with django_assert_num_queries(2):  # type: ignore[operator]
        calendar = read_calendar()
    early, noon = at("2026-01-01 00:30"), at("2026-01-01 12:30")
    hosts = (alice, bob, charlie, dave)
    assert [calendar.look(host, early).since for host in hosts] == [at("2026-01-01"), at("2026-01-01"), None, None]
    assert all(calendar.look(host, noon).since == at("2026-01-01 12:00") for host in hosts)
    assert [calendar.look(host, at("2026-01-02 00:30")).since for host in (alice, charlie)] == [None, at("2026-01-02")]
    assert calendar.look(alice, at("2026-01-03 00:30")).since is None
    assert [found.tag for found in calendar.list_windows(bob, early)] == ["edge"]


@pytest.mark.django_db
def test_a_calendar_says_what_changes_next() -> None:
    host = new_host()
    for text, minutes in (("2026-01-01 01:00", 60), ("2026-01-01 02:00", 30), ("2026-01-01 01:30", 15)):
        window(text, minutes=minutes).save()
    window("2026-12-24 00:00").save()
    calendar = read_calendar()
    assert calendar.look(host, at("2026-01-01 00:00")) == (None, at("2026-01-01 01:00"))
    assert calendar.look(host, at("2026-01-01 01:00")) == (at("2026-01-01 01:00"), at("2026-01-01 02:30"))
    assert calendar.look(host, at("2026-01-01 02:30")) == (None, at("2026-12-24 00:00"))
    assert calendar.look(host, at("2026-12-24 01:00")) == (None, None)
    assert calendar.find_end(host, at("2026-01-01 02:29:59")) == at("2026-01-01 02:30")
    assert calendar.find_end(host, at("2026-01-01 02:30")) is None


@pytest.mark.django_db
def test_windows_without_a_break_change_at_no_time_soon() -> None:
    host = new_host()
    window("2026-01-01 00:00", minutes=1440, recurrence="FREQ=DAILY").save()
    _, change = read_calendar().look(host, at("2026-06-01"))
    assert change is not None
    assert change > at("2026-06-28")


@pytest.mark.django_db
def test_a_window_whose_zone_was_taken_away_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    host = new_host()
    window("2026-01-01 00:00", "Mars/Olympus").save()
    window("2026-01-01 00:00").save()
    assert read_calendar().find_end(host, at("2026-01-01 00:30")) == at("2026-01-01 01:00")
    assert "zone: unknown" in caplog.text


def test_what_is_read_says_when_it_ends() -> None:
    assert read_recurrence(window("2026-01-01 03:00", recurrence="FREQ=DAILY;UNTIL=20260103")).until == at(
        "2026-01-03 23:59:59.999999"
    )


@pytest.mark.django_db
def test_windows_that_follow_one_another_end_with_the_last_of_them() -> None:
    host = new_host()
    for text, minutes in (("2026-01-01 01:00", 60), ("2026-01-01 02:00", 30), ("2026-01-01 04:00", 30)):
        window(text, minutes=minutes).save()
    calendar, began = read_calendar(), at("2026-01-01 01:00")
    assert calendar.look(host, at("2026-01-01 01:30")) == (began, at("2026-01-01 02:30"))
    assert calendar.find_last_end(host, began, at("2026-01-01 02:31")) == at("2026-01-01 02:30")
    assert calendar.find_last_end(host, began, at("2026-03-01 00:00")) == at("2026-01-01 04:30")
    assert calendar.find_last_end(host, began, at("2026-01-01 01:30")) is None


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(RULES, st.integers(0, 23), st.integers(1, 600)), min_size=1, max_size=4),
    st.lists(st.integers(0, 40 * 1440), min_size=1, max_size=12),
)
def test_to_look_again_and_again_finds_what_the_spans_say(
    windows: list[tuple[str, int, int]], minutes: list[int]
) -> None:
    planned = [window(f"2026-03-20 {hour:02}:00", "Europe/Berlin", length, rule) for rule, hour, length in windows]
    for each in planned:
        each.pk = 1
        each._prefetched_objects_cache = {"hosts": []}
    calendar, plain, host = Calendar(planned), Calendar(planned), new_host_unsaved()
    calendar.prepare(at("2026-03-20"))
    for moment in (at("2026-03-20") + minute * MINUTE for minute in minutes):
        spans = plain.spans(host, moment, moment + 500 * DAY)
        since, change = calendar.look(host, moment)
        covering = [end for start, end in spans if start <= moment < end]
        assert (since is not None) == bool(covering)
        later = [start for start, _ in spans if start > moment]
        if covering:
            assert change == covering[0] or moment + 28 * DAY <= change <= covering[0]
        else:
            assert change == (later[0] if later and later[0] <= moment + 400 * DAY else None)


@pytest.mark.django_db
def test_hosts_of_the_same_windows_share_what_was_worked_out() -> None:
    for day in range(1, 13):
        window(f"2025-06-{day:02} 03:00", recurrence="FREQ=YEARLY").save()
    hosts, asked = [new_host(f"h{place}") for place in range(30)], []
    calendar = read_calendar()
    for planned in calendar._planned:
        recurrence = planned.times._recurrence
        planned.times._recurrence = Asked(recurrence, asked)  # type: ignore[assignment]
    calendar.prepare(at("2026-01-01"))
    prepared = len(asked)
    assert {calendar.look(host, at("2026-01-02 00:30")) for host in hosts} == {(None, at("2026-06-01 03:00"))}
    assert (prepared, len(asked)) == (24, 24), "twice a window, for what is near and for what is far"


class Asked:
    """A recurrence that notes each time it is worked out."""

    def __init__(self, recurrence: Recurrence, asked: list[object]) -> None:
        self._recurrence, self._asked = recurrence, asked

    def list_spans(self, *args: object, **options: object) -> object:
        self._asked.append(args)
        return self._recurrence.list_spans(*args, **options)  # type: ignore[arg-type]
