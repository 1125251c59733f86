"""Judging again what was kept finds what living through it found; and passing over minutes changes nothing."""

import datetime as dt
import random

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor import walk
from monitor.book import tally_minute
from monitor.health import LOST, Change, Echo, Health, State, judge
from monitor.models import Host, Maintenance, Minute, Rules
from monitor.packing import Code, Slots, pack
from monitor.replay import Spell, Start, group_spells, list_spells, replay, warm_up
from monitor.rules import RuleBook
from monitor.stretches import misses
from monitor.tally import FIGURES
from tests.watch.histories import new_host, write_minute, write_minutes

pytestmark = pytest.mark.django_db

SECOND = 1_000_000
NOT_MEASURED = int(Code.NOT_SENT)
SINCE = dt.datetime(2026, 11, 20, 8, tzinfo=dt.UTC)
FIRST = int(SINCE.timestamp())
LONG = dt.timedelta(minutes=30)


def live(values: list[int], book: RuleBook, host: Host) -> tuple[Health, list[Change]]:
    """What living through a packet a second finds."""
    limits, health, changes = book.find(host).limits(None, 0), Health(), []
    for second, value in enumerate(values):
        health, change = judge(health, Echo((FIRST + second) * SECOND + 250_000, value, SECOND), limits)
        changes += [change] if change else []
    return health, changes


def keep(host: Host, values: list[int]) -> None:
    write_minutes(host, SINCE, len(values) // 60, lambda second: values[second - FIRST])


HOURS = st.lists(
    st.tuples(st.sampled_from([1000, 1000, LOST, NOT_MEASURED, 90_000]), st.integers(1, 300), st.floats(0, 0.3)),
    min_size=3,
    max_size=12,
)
DRAFTS = st.builds(
    Rules, loss=st.sampled_from([None, 0, 0.1]), down_loss=st.sampled_from([None, 0.4]), window_s=st.sampled_from([60, 300]),
    p95_ms=st.sampled_from([None, 50]), jitter_ms=st.sampled_from([None, None, 20]),
)  # fmt: skip


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(HOURS, DRAFTS, st.integers(0, 9))
def test_to_replay_is_to_live_whether_minutes_are_passed_over_or_not(
    parts: list[tuple[int, int, float]], draft: Rules, seed: int
) -> None:
    Minute.objects.all().delete()
    Host.objects.all().delete()
    host, chance = new_host(), random.Random(seed)
    values = [
        LOST if chance.random() < share * (value == 1000) else value
        for value, number, share in parts
        for _ in range(number)
    ]
    values = [*values, *[1000] * (-len(values) % 60)]
    keep(host, values)
    book = RuleBook(everything=draft)
    until = SINCE + dt.timedelta(seconds=len(values))
    spells = replay(host, book.find(host), SINCE, until)
    assert spells == replay(host, book.find(host), SINCE, until, skips=False)
    assert spells == list_spells(live(values, book, host)[1])


def test_an_outage_is_one_spell_from_its_first_lost_to_its_first_answer() -> None:
    host = new_host()
    keep(host, [*[1000] * 100, *[LOST] * 95, *[1000] * 105])
    told: list[tuple[int, int]] = []
    spells = replay(host, RuleBook().find(host), SINCE, SINCE + LONG, lambda *progress: told.append(progress))
    began = (FIRST + 100) * SECOND + 250_000
    assert spells == [Spell(State.DOWN, began, began + 95 * SECOND, "lost_in_row", 6, 5)]
    assert told[-1][0] == told[-1][1]


def test_maintenance_is_cut_out() -> None:
    host = new_host()
    keep(host, [*[1000] * 60, *[LOST] * 600, *[1000] * 60])
    Maintenance.objects.create(name="works", starts_on=SINCE.date(), starts_at=dt.time(8, 3), minutes=2)
    spells = replay(host, RuleBook().find(host), SINCE, SINCE + LONG)
    assert [(spell.began_at, spell.ended_at) for spell in spells] == [
        ((FIRST + 60) * SECOND + 250_000, (FIRST + 180) * SECOND),
        ((FIRST + 300) * SECOND, (FIRST + 660) * SECOND + 250_000),
    ]
    assert len(group_spells(spells)) == 2


def test_worse_is_another_spell_of_one_incident_and_a_gap_does_not_end_it() -> None:
    host = new_host()
    lossy = [LOST if second % 10 == 0 else 1000 for second in range(240)]
    keep(host, [*lossy, *[LOST] * 60])
    write_minute(host, FIRST // 60 + 20, [LOST] * 60)
    spells = replay(host, RuleBook().find(host), SINCE, SINCE + LONG)
    assert [spell.state for spell in spells] == [State.DEGRADED, State.DOWN]
    assert (len(group_spells(spells)), spells[-1].ended_at) == (1, None)


def test_warming_up_ends_where_living_would_be_and_finds_what_was_not_written() -> None:
    host, book = new_host(), RuleBook()
    values = [LOST if second % 25 == 3 else 1000 for second in range(1170)] + [LOST] * 30
    keep(host, values)
    health, changes = live(values, book, host)
    start = Start(Health(State.UP, FIRST * SECOND, State.UP, FIRST * SECOND, 0, FIRST * SECOND), book.find(host))
    warm = warm_up({host.pk: start})[host.pk]
    assert warm.changes == changes[1:]
    assert (warm.health.state, warm.health.since, warm.until) == (
        State.DOWN,
        health.since,
        (FIRST + 1200) * SECOND + 250_000,
    )
    # What was noticed is not found again.
    again = warm_up({host.pk: start._replace(health=warm.health)})[host.pk]
    assert (again.changes, again.health) == ([], warm.health)


def test_a_restart_of_twenty_seconds_breaks_a_row_also_where_minutes_are_passed_over() -> None:
    """As many packets that were not measured do the same."""
    host, book = new_host(), RuleBook()
    lossy = [*[1000] * 117, *[LOST] * 3, *[NOT_MEASURED] * 20, *[LOST] * 3, *[1000] * 37]
    for minute in range(3):
        values = lossy[minute * 60 : minute * 60 + 60]
        late = 20 if minute == 2 else 0
        packets = pack(Slots(250 + late * 1000, 1000, values[late:]))
        figures = dict(zip(FIGURES, tally_minute(packets).figures, strict=True))
        Minute.objects.create(host=host, minute=FIRST // 60 + minute, packets=packets, **figures)
    for skips in (True, False):
        assert replay(host, book.find(host), SINCE, SINCE + LONG, skips=skips) == []
    start = Start(Health(), book.find(host))
    assert warm_up({host.pk: start})[host.pk].changes == live(lossy, book, host)[1]


def test_minutes_are_not_passed_over_where_some_seconds_of_them_are_missing() -> None:
    host, effective = new_host(), RuleBook().find(new_host("bob"))
    lossy = [LOST if second % 10 == 0 else 1000 for second in range(240)]
    keep(host, [*lossy, *[LOST] * 60])
    # Down until a restart, and after it: the row of answers that would end it does not go on across the gap.
    for minute, values in ((6, [LOST] * 40), (7, [LOST] * 60), (8, [1000] * 3), (9, [1000] * 3), (10, [1000] * 60)):
        write_minute(host, FIRST // 60 + minute, values)
    spells = replay(host, effective, SINCE, SINCE + LONG)
    assert spells == replay(host, effective, SINCE, SINCE + LONG, skips=False)
    assert spells[-1].ended_at == (FIRST + 600) * SECOND + 250_000


def test_a_host_without_history_stays_as_it_was() -> None:
    host = new_host()
    start = Start(Health(State.UP, 5), RuleBook().find(host))
    assert warm_up({host.pk: start, 999: start}) == {host.pk: (start.health, [], None)}
    assert replay(host, start.effective, timezone.now() - LONG, timezone.now()) == []


def test_what_nobody_heard_of_is_a_gap_and_a_host_that_could_not_be_asked_was_known_to_be_so_at_once() -> None:
    host, book = new_host(), RuleBook()
    limits, health = book.find(host).limits(None, 0), Health()
    # One slot alone is no gap, and the row of lost ones goes on across it; two are.
    values = [*[1000] * 54, *[LOST] * 3, int(Code.UNKNOWN), *[LOST] * 3, *[1000] * 59]
    keep(host, [*values, *[LOST] * 3, *[int(Code.ASLEEP)] * 2, *[LOST] * 3, *[int(Code.NO_NAME)] * 2, *[1000] * 50])
    for skips in (True, False):
        (spell,) = replay(host, book.find(host), SINCE, SINCE + LONG, skips=skips)
        assert spell.began_at == (FIRST + 54) * SECOND + 250_000
        assert spell.ended_at == (FIRST + 61) * SECOND + 250_000
    for second in range(5):
        health, _ = judge(health, Echo((FIRST + second) * SECOND, 1000, SECOND), limits)
    warm = warm_up({host.pk: Start(health, book.find(host))})[host.pk]
    blind = [change for change in warm.changes if change.after is State.NOT_MEASURED]
    assert [change.at for change in blind] == [(FIRST + 128) * SECOND + 250_000]


@pytest.mark.parametrize(("late", "is_gap"), [(0, False), (1, True)])
def test_a_gap_of_an_interval_and_a_half_is_judged_alike_in_ms_and_us(late: int, is_gap: bool) -> None:
    until, due = FIRST * SECOND + 137, FIRST * SECOND + 1_500_000 + late * 1000
    assert misses(until, due + 136, SECOND) == misses(until - 137, due, SECOND) == is_gap


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    st.lists(st.tuples(st.sampled_from([0, 0, 0, 15, 30, 50]), st.sampled_from([0, 0, 0.01, 0.3]), st.integers(40, 300)), min_size=4, max_size=12),
    st.sampled_from([None, 0.1]), st.sampled_from([None, 60]), st.sampled_from([6, 9, 12]), st.sampled_from([60, 60, 150]), st.integers(0, 9),
)  # fmt: skip
def test_a_rule_on_jitter_finds_the_same_where_minutes_are_judged_without_it(
    parts: list[tuple[int, float, int]], loss: float | None, p95: int | None, jitter: int, window: int, seed: int
) -> None:
    Minute.objects.all().delete()
    Host.objects.all().delete()
    host, chance = new_host(), random.Random(seed)
    values = [
        LOST if chance.random() < share else round(chance.uniform(1000, 1000 + spread * 1000))
        for spread, share, number in parts
        for _ in range(number)
    ]
    values = [*values, *[1000] * (-len(values) % 60)]
    keep(host, values)
    # A minute that nobody kept, and one of which some is missing.
    for minute in chance.sample(range(len(values) // 60), k=min(2, len(values) // 60)):
        Minute.objects.filter(minute=FIRST // 60 + minute).delete()
        if minute % 2:
            write_minute(host, FIRST // 60 + minute, values[minute * 60 : minute * 60 + 40])
    book = RuleBook(everything=Rules(jitter_ms=jitter, loss=loss, p95_ms=p95, p95_times=0, window_s=window))
    until = SINCE + dt.timedelta(seconds=len(values))
    found = replay(host, book.find(host), SINCE, until)
    assert found == replay(host, book.find(host), SINCE, until, skips=False)


def test_quiet_hours_under_a_rule_on_jitter_are_not_judged_ping_by_ping(monkeypatch: pytest.MonkeyPatch) -> None:
    """The property above holds for a shortcut that is never taken, too."""
    host, judged = new_host(), []
    keep(host, [1000 + second % 7 if second % 500 else LOST for second in range(7200)])
    monkeypatch.setattr(walk, "judge", lambda *args: judged.append(args) or judge(*args))
    book = RuleBook(everything=Rules(jitter_ms=5))
    assert replay(host, book.find(host), SINCE, SINCE + dt.timedelta(hours=2)) == []
    assert 0 < len(judged) < 200
