"""Uptime and the month's report: to the second what a slow and independent calculation says."""

import datetime as dt
import itertools
import random
from collections import Counter
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from monitor.health import State
from monitor.models import Host, Incident, Transition
from monitor.packing import LOST, Code
from monitor.report import COLUMNS, EDGES, list_rows, read_report
from monitor.rollup import tidy_history
from monitor.uptime import list_days, list_months, list_years, read_accounts
from tests.watch.histories import new_host, write_minute

pytestmark = pytest.mark.django_db

UTC, SECOND = dt.UTC, dt.timedelta(seconds=1)
BERLIN = ZoneInfo("Europe/Berlin")
KNOWN = (State.UP, State.DEGRADED, State.DOWN)
NOW = dt.datetime(2026, 12, 31, tzinfo=UTC)
DAY = dt.timedelta(days=1)
# Of a made-up month, with two days before and at least two after.
ALL_SECONDS = 35 * 86400


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=UTC)


def go(host: Host, text: str, state: State) -> None:
    Transition.objects.create(host=host, at=at(text), state=state)


def test_uptime_is_of_known_time_only() -> None:
    host = new_host()
    for text, state in (
        ("2026-11-01 06:00", State.STARTING), ("2026-11-01 06:00:01", State.UP), ("2026-11-01 10:00", State.DOWN),
        ("2026-11-01 11:00", State.UP), ("2026-11-01 12:00", State.MAINTENANCE), ("2026-11-01 13:00", State.UP),
        ("2026-11-01 14:00", State.NOT_MEASURED), ("2026-11-01 16:00:00.000001", State.DEGRADED),
        ("2026-11-01 18:00", State.PAUSED),
    ):  # fmt: skip
        go(host, text, state)
    (day,) = read_accounts(host, [(at("2026-11-01"), at("2026-11-02"))], NOW)
    hours = {state: us / 3.6e9 for state, us in day.us.items()}
    assert hours[State.DOWN] == hours[State.MAINTENANCE] == 1
    assert day.us[State.NOT_MEASURED] == 7_200_000_001
    assert hours[State.PAUSED] == 6
    assert day.known_us == 9 * 3_600_000_000 - 1_000_001
    assert day.uptime == 1 - 3_600_000_000 / day.known_us
    assert day.unmeasured == (7_200_000_001 + 1_000_000) / (day.known_us + 7_201_000_001)
    # Before six nobody watched it: that is no state at all.
    assert sum(day.us.values()) == 18 * 3_600_000_000


def test_what_was_never_known_has_no_uptime() -> None:
    host = new_host()
    (day,) = read_accounts(host, [(at("2026-11-01"), at("2026-11-02"))], NOW)
    assert (day.uptime, day.unmeasured, day.packets.loss) == (None, None, None)
    assert read_accounts(host, [(at("2027-11-01"), at("2027-11-02"))], NOW) == []


def test_days_months_and_years_are_those_of_the_zone() -> None:
    lengths = [(until - since) // dt.timedelta(hours=1) for since, until in list_days(2026, 3, BERLIN)]
    assert (lengths.count(24), lengths[28], len(lengths)) == (30, 23, 31)
    assert list_days(2026, 10, BERLIN)[24][1] - list_days(2026, 10, BERLIN)[24][0] == dt.timedelta(hours=25)
    for spans in (list_days(2026, 2, BERLIN), list_months(2026, BERLIN), list_years(2024, 2026, BERLIN)):
        assert all(one[1] == other[0] for one, other in itertools.pairwise(spans))
    assert list_months(2026, BERLIN)[0][0] == list_days(2026, 1, BERLIN)[0][0] == at("2025-12-31 23:00")


@pytest.mark.parametrize("rolled", [False, True])
def test_loss_leaves_out_the_minutes_of_maintenance(rolled: bool) -> None:
    host = new_host()
    first = int((timezone.now() - dt.timedelta(days=3)).timestamp()) // 86400 * 1440
    start = dt.datetime.fromtimestamp(first * 60, UTC)
    for minute in range(180):
        lost = 30 if 70 <= minute < 100 else 6
        write_minute(host, first + minute, [LOST] * lost + [5000] * (60 - lost))
    if rolled:
        list(tidy_history(timezone.now()))
    for offset, state in ((0, State.UP), (70 * 60 + 20, State.MAINTENANCE), (99 * 60 + 50, State.UP)):
        Transition.objects.create(host=host, at=start + offset * SECOND, state=state)
    (account,) = read_accounts(host, [(start, start + 10_800 * SECOND)], timezone.now())
    # Minutes 70 and 99 are maintenance in part, and left out whole.
    assert (account.packets.sent, account.packets.lost, account.exact) == (150 * 60, 150 * 6, True)
    low, high = account.packets.loss_interval
    assert low < 0.1 < high


def test_minutes_that_are_kept_no_more_cost_whole_hours_and_it_says_so() -> None:
    host, start = new_host(), dt.datetime(2026, 1, 5, tzinfo=UTC)
    for minute in range(180):
        write_minute(host, int(start.timestamp()) // 60 + minute, [5000] * 60)
    list(tidy_history(start + dt.timedelta(days=2)))
    for offset, state in ((0, State.UP), (70 * 60, State.MAINTENANCE), (100 * 60, State.UP)):
        Transition.objects.create(host=host, at=start + offset * SECOND, state=state)
    later = start + dt.timedelta(days=800)
    list(tidy_history(later))
    (account,) = read_accounts(host, [(start, start + 10_800 * SECOND)], later)
    assert (account.packets.sent, account.exact) == (120 * 60, False)


def make_month(host: Host, start: dt.datetime, chance: random.Random) -> list[tuple[int, State]]:
    """A made-up month and its surroundings: transitions (seconds since two days before) and the incidents they make."""
    moment, story = 0, list[tuple[int, State]]()
    bad_since, worst = None, State.DEGRADED
    while moment < ALL_SECONDS:
        state = chance.choice([each for each in State if not story or each is not story[-1][1]])
        story.append((moment, state))
        if state in (State.DEGRADED, State.DOWN):
            worst = (
                State.DOWN if state is State.DOWN or (bad_since is not None and worst is State.DOWN) else State.DEGRADED
            )
            bad_since = moment if bad_since is None else bad_since
        elif bad_since is not None and state is not State.NOT_MEASURED:
            _open(host, start, bad_since, moment, worst)
            bad_since = None
        moment += chance.choice([1, 7, 61, 3600, 5400, 90_000]) * chance.randint(1, 3)
    if bad_since is not None:
        _open(host, start, bad_since, None, worst)
    Transition.objects.bulk_create(
        Transition(host=host, at=start + second * SECOND, state=state) for second, state in story
    )
    return story


def _open(host: Host, start: dt.datetime, since: int, until: int | None, worst: State) -> None:
    ended = None if until is None else start + until * SECOND
    began = start + since * SECOND
    Incident.objects.create(
        host=host, state=worst, began_at=began, noticed_at=began, ended_at=ended, reason="lost_in_row"
    )


# Three zones in which clocks change, each in both months in which they do, and two in which they never do.
MONTHS = [
    ("UTC", 11), ("Asia/Kathmandu", 2), ("Europe/Berlin", 3), ("Europe/Berlin", 10), ("America/St_Johns", 3),
    ("America/St_Johns", 11), ("Australia/Sydney", 4), ("Australia/Sydney", 10),
]  # fmt: skip


@pytest.mark.parametrize(("zone", "month_number"), MONTHS)
@pytest.mark.parametrize("seed", range(2))
def test_a_month_agrees_to_the_second_with_a_slow_calculation(zone: str, month_number: int, seed: int) -> None:
    host, start = new_host(), at(f"2026-{month_number:02}-01") - 2 * DAY
    story = make_month(host, start, random.Random(f"{zone} {month_number} {seed}"))
    clock = ZoneInfo(zone)
    report = read_report(host, 2026, month_number, clock, NOW)

    # The slow way: the state of every single second, and the day that its wall clock shows.
    states: list[State] = []
    for (second, state), following in zip(story, [*(moment for moment, _ in story[1:]), ALL_SECONDS], strict=True):
        states += [state] * (min(following, ALL_SECONDS) - second)
    days: dict[str, Counter[State]] = {}
    # A quarter of an hour at a time: no zone here has midnight elsewhere.
    for second in range(0, len(states), 900):
        wall = (start + second * SECOND).astimezone(clock)
        if (wall.year, wall.month) == (2026, month_number):
            days.setdefault(wall.date().isoformat(), Counter()).update(states[second : second + 900])

    assert [day.since.astimezone(clock).date().isoformat() for day in report.days] == list(days)
    assert [{state: us / 1e6 for state, us in day.us.items()} for day in report.days] == list(days.values())
    month = {state: sum(day.get(state, 0) for day in days.values()) for state in State}
    known = sum(month[state] for state in KNOWN)
    assert report.total.uptime == pytest.approx((month[State.UP] + month[State.DEGRADED]) / known, abs=1e-12)
    # Every bad second is in exactly one outage, and in no two.
    assert sum(outage.down_us for outage in report.outages) == month[State.DOWN] * 1_000_000
    assert sum(outage.degraded_us for outage in report.outages) == month[State.DEGRADED] * 1_000_000
    for outage in report.outages:
        assert outage.end is None or outage.us == (outage.end - outage.start) // SECOND * 1_000_000
    check_rows(report, month, days)


def check_rows(report: object, month: dict[State, int], days: dict[str, dict[State, int]]) -> None:
    """The table has the same seconds."""
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in list_rows(report)]
    assert float(rows[0]["down_s"]) == month[State.DOWN]
    assert [float(row["up_s"]) for row in rows[1 : len(days) + 1]] == [day.get(State.UP, 0) for day in days.values()]
    assert {row["kind"] for row in rows[len(days) + 1 :]} <= {"outage"}


def test_a_month_that_goes_on_ends_now() -> None:
    host = new_host()
    go(host, "2026-11-01 00:00", State.UP)
    report = read_report(host, 2026, 11, ZoneInfo("UTC"), at("2026-11-03 12:00"))
    assert (len(report.days), report.total.us) == (3, {State.UP: 60 * 3_600_000_000})
    assert report.outages == []


def test_round_trips_are_counted_in_columns() -> None:
    host, start = new_host(), at("2026-11-02 00:00")
    write_minute(host, int(start.timestamp()) // 60, [1500] * 30 + [12_000] * 20 + [LOST] * 5 + [Code.ASLEEP] * 5)
    report = read_report(host, 2026, 11, ZoneInfo("UTC"), NOW)
    assert report.bins == [(1000, 30), (2000, 0), (5000, 0), (10_000, 20)]
    assert (report.tally.sent, report.tally.received, report.tally.not_measured) == (55, 50, 5)
    assert report.percentiles[5] == pytest.approx(1500, rel=0.032)
    assert report.percentiles[99] == pytest.approx(12_000, rel=0.032)
    assert list(EDGES) == sorted(EDGES)


def test_the_report_of_a_month_takes_few_questions(django_assert_max_num_queries: object) -> None:
    host = new_host()
    make_month(host, at("2026-10-30"), random.Random(1))
    with django_assert_max_num_queries(80):  # type: ignore[operator]
        read_report(host, 2026, 11, ZoneInfo("UTC"), NOW)
