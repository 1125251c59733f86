"""The rules of a host: whose they are, what they come to, and which are refused; and what is usual for it."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitor.health import Limits
from monitor.histogram import count_times, pack_wide
from monitor.models import Host, Hour, Rules
from monitor.rules import DEFAULTS, FIELDS, RuleBook, check_rules, read_rules
from monitor.usual import Usual, read_usual
from tests.watch.histories import new_host

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 11, 25, 12, 30, tzinfo=dt.UTC)
THIS = int(NOW.timestamp()) // 3600
AT_US = THIS * 3_600_000_000


def write_hour(host: Host, hour: int, time_us: int, received: int = 3600) -> None:
    """Keep an hour in which nine in ten took so long, and the others twice as long."""
    times = [time_us] * (received * 9 // 10) + [2 * time_us] * (received - received * 9 // 10)
    figures = {"sent": received, "received": received, "not_measured": 0, "sum_us": sum(times)}
    Hour.objects.create(host_id=host.pk, hour=hour, histogram=pack_wide(count_times(times)), jitter_sum_us=0, **figures)


def test_where_nobody_set_anything_the_built_in_rules_apply() -> None:
    rules = read_rules().find(Host(interval=1.0))
    assert rules.limits(None, 0) == Limits()
    assert rules.limits(Usual({0: (40_000, 20_000)}), 0) == Limits(p95_us=120_000)
    assert set(rules.sources.values()) == {"default"}


def test_the_nearest_rule_applies_field_by_field_and_0_turns_it_off() -> None:
    host = new_host(group="office")
    Rules.objects.create(loss=0.2, lost_in_row=9, jitter_ms=30)
    Rules.objects.create(group="office", loss=0.1, p95_times=0)
    Rules.objects.create(host=host, loss=0)
    with CaptureQueriesContext(connection) as queries:
        book = read_rules()
    assert len(queries) == 1
    rules = book.find(host)
    assert {name: rules.sources[name] for name in ("loss", "p95_times", "lost_in_row", "lost_s")} == {
        "loss": "host", "p95_times": "group", "lost_in_row": "all", "lost_s": "default",
    }  # fmt: skip
    assert rules.limits(Usual({0: (40_000, 20_000)}), 0) == Limits(in_row=9, loss=None, jitter_us=30_000)
    assert book.find(Host(group="other")).limits(None, 0).loss == 0.2


def test_a_draft_takes_the_place_of_what_is_saved() -> None:
    host = new_host(group="office")
    Rules.objects.create(host=host, loss=0.1)
    book = read_rules()
    assert book.propose(Rules(host=host, lost_s=9)).find(host).values["loss"] == 0.05
    assert book.propose(Rules(group="office", lost_s=9)).find(host).values["lost_s"] == 9
    assert book.propose(Rules(lost_s=8)).find(host).values["lost_s"] == 8
    assert book.find(host).values["lost_s"] == 5


def test_a_window_has_room_for_twenty_packets() -> None:
    assert RuleBook().find(Host(interval=60.0)).limits(None, 0).window_us == 1200 * 1_000_000


def test_times_the_usual_counts_only_where_it_is_five_milliseconds_more() -> None:
    rules = RuleBook(everything=Rules(p95_ms=200, median_times=2)).find(Host())
    assert rules.limits(Usual({0: (100, 50)}), 0).p95_us == 5100
    assert rules.limits(Usual({0: (100_000, 50_000)}), 0) == Limits(p95_us=200_000, median_us=100_000)
    assert rules.limits(Usual({5: (100, 50)}), 0) == Limits(p95_us=200_000)


@pytest.mark.parametrize(
    ("values", "refused"),
    [
        ({}, []),
        ({"window_s": 5}, [("window_s", "too_short")]),
        ({"window_s": 7200}, [("window_s", "too_long")]),
        ({"lost_in_row": 1, "lost_s": 0}, [("lost_in_row", "single")]),
        ({"lost_in_row": 1}, []),
        ({"loss": 0.5, "down_loss": 0.5}, [("loss", "hidden")]),
        ({"loss": 1.0}, [("loss", "hidden_by_row")]),
        ({"loss": 1.0, "lost_in_row": 0}, []),
        ({"loss": 1e-5}, [("loss", "never_fires")]),
        ({"p95_times": 1}, [("p95_times", "never_clears")]),
        ({"median_times": 0.5}, [("median_times", "never_clears")]),
        ({"p95_ms": 2000}, [("p95_ms", "never_fires")]),
        ({"jitter_ms": 2500}, [("jitter_ms", "never_fires")]),
        ({"p95_ms": 100, "median_ms": 100}, [("median_ms", "hidden")]),
    ],
)
def test_rules_that_can_never_fire_or_never_clear_are_refused(
    values: dict[str, float], refused: list[tuple[str, str]]
) -> None:
    problems = check_rules(DEFAULTS | values, timeout=2.0)
    assert [problem[:2] for problem in problems] == refused
    assert all(str(problem.text).endswith(".") for problem in problems)


def test_a_row_that_takes_days_is_refused_for_a_slow_host() -> None:
    assert [problem[:2] for problem in check_rules(DEFAULTS | {"lost_in_row": 1000}, interval=300)] == [
        ("lost_in_row", "never_fires")
    ]
    assert set(DEFAULTS) <= set(FIELDS)


def test_usual_is_of_the_same_hour_of_at_least_two_weeks() -> None:
    host = new_host()
    for week, time in ((1, 10_000), (2, 20_000), (3, 90_000)):
        write_hour(host, THIS - week * 168, time)
    for hour in range(THIS - 60, THIS - 2):
        write_hour(host, hour, 1000)
    with CaptureQueriesContext(connection):
        usual = read_usual(host.pk, NOW, zone=dt.UTC)
    assert usual
    p95, median = usual.find(AT_US) or (0, 0)
    # The median of the weeks: one bad week makes nothing usual.
    assert median == pytest.approx(20_000, rel=1 / 32)
    assert p95 == pytest.approx(40_000, rel=1 / 32)


def test_with_less_than_two_weeks_it_is_of_the_same_hour_of_three_days_else_of_any_six() -> None:
    host = new_host()
    for hour in range(THIS - 8, THIS - 3):
        write_hour(host, hour, 1000)
    assert read_usual(host.pk, NOW, zone=dt.UTC) is None
    write_hour(host, THIS - 3, 1000)
    assert (read_usual(host.pk, NOW, zone=dt.UTC) or Usual()).find(AT_US) == pytest.approx((2000, 1000), rel=1 / 32)
    for day in (1, 2, 3):
        write_hour(host, THIS - day * 24, 7000)
    assert (read_usual(host.pk, NOW, zone=dt.UTC) or Usual()).find(AT_US) == pytest.approx((14_000, 7000), rel=1 / 32)


def test_hours_with_hardly_an_answer_and_hours_that_are_not_over_are_not_usual() -> None:
    host = new_host()
    for hour in range(THIS - 9, THIS - 2):
        write_hour(host, hour, 1000, received=9)
    for hour in range(THIS - 1, THIS + 6):
        write_hour(host, hour, 1000)
    assert read_usual(host.pk, NOW, NOW, zone=dt.UTC) is None


def test_the_hour_of_the_week_is_that_of_the_clocks_on_both_sides_of_summer_time() -> None:
    host, zone = new_host(), ZoneInfo("Europe/Berlin")
    # Clocks went back on 25 October 2026: 9 o'clock is 7 UTC before, and 8 UTC behind it.
    now = dt.datetime(2026, 10, 28, 9, 30, tzinfo=zone)
    for day in (14, 21):
        nine = int(dt.datetime(2026, 10, day, 9, tzinfo=zone).timestamp()) // 3600
        write_hour(host, nine, 50_000)
        write_hour(host, nine + 1, 1000)
    usual = read_usual(host.pk, now, zone=zone)
    assert usual
    assert (usual.find(int(now.timestamp() * 1e6)) or (0, 0))[1] == pytest.approx(50_000, rel=1 / 32)
