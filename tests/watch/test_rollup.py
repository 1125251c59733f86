"""Hours from minutes, and what is deleted by age, in steps that hold the write lock for a moment only."""

import datetime as dt
import itertools
import sqlite3
import threading
import time

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from monitor.histogram import count_times, unpack_wide
from monitor.models import Host, Hour, Minute
from monitor.packing import LOST, Code
from monitor.rollup import Progress, rebuild, rebuild_all, roll_up, tidy_history, work_off
from tests.watch.histories import ask, new_host, write_minute, write_minutes

pytestmark = pytest.mark.django_db(transaction=True)

NOON = dt.datetime(2026, 3, 29, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
DAY = 24 * HOUR


def draw(second: int) -> int:
    return LOST if second % 97 == 0 else Code.ASLEEP if second % 89 == 0 else 10_000 + second * 7919 % 3000


def tidy(now: dt.datetime) -> list[Progress]:
    return list(tidy_history(now))


def test_an_hour_holds_what_its_packets_come_to() -> None:
    host = new_host()
    write_minutes(host, NOON, 61, draw)
    tidy(NOON + HOUR)
    hour = Hour.objects.get()
    start = int(NOON.timestamp())
    values = [draw(start + second) for second in range(3600)]
    times = [value for value in values if value >= 0]
    assert (hour.host_id, hour.hour) == (host.pk, start // 3600)
    assert (hour.sent, hour.received) == (3600 - values.count(Code.ASLEEP), len(times))
    assert (hour.not_measured, hour.reason) == (values.count(Code.ASLEEP), Code.ASLEEP)
    assert (hour.min_us, hour.max_us, hour.sum_us) == (min(times), max(times), sum(times))
    assert hour.median_us == sorted(times)[(len(times) - 1) // 2]
    assert hour.jitter_sum_us == sum(abs(b - a) for a, b in itertools.pairwise(times))
    assert list(unpack_wide(hour.histogram)) == sorted(count_times(times))


def test_an_hour_is_complete_when_a_later_minute_is_there_or_after_a_day() -> None:
    write_minutes(new_host(), NOON, 60, draw)
    tidy(NOON + 2 * HOUR)
    assert not Hour.objects.exists()
    tidy(NOON + 26 * HOUR)
    assert Hour.objects.count() == 1


def test_rolling_up_again_changes_nothing_and_goes_on_where_it_was() -> None:
    host = new_host()
    write_minutes(host, NOON, 121, draw)
    tidy(NOON + 2 * HOUR)
    before = list(Hour.objects.values_list())
    tidy(NOON + 2 * HOUR)
    assert list(Hour.objects.values_list()) == before
    write_minutes(host, NOON + 2 * HOUR + dt.timedelta(minutes=1), 60, draw)
    tidy(NOON + 3 * HOUR)
    assert Hour.objects.count() == len(before) + 1 == 3


def test_hours_can_be_built_again_from_their_packets() -> None:
    host = new_host()
    write_minutes(host, NOON, 181, draw)
    tidy(NOON + 3 * HOUR)
    Hour.objects.update(sent=0, histogram=b"")
    told = list(rebuild(host.pk, NOON + HOUR, NOON + 3 * HOUR))
    old, *built = Hour.objects.order_by("hour")
    assert old.sent == 0
    assert all(hour.sent and hour.histogram for hour in built)
    assert told == [Progress("rebuild", 1, 2), Progress("rebuild", 2, 2)]


def test_all_hosts_are_built_again_up_to_the_first_hour_that_is_whole() -> None:
    alice, bob = new_host(), new_host("bob")
    write_minutes(alice, NOON, 181, draw)
    write_minutes(bob, NOON, 121, draw)
    tidy(NOON + 3 * HOUR)
    Minute.objects.filter(host=alice, minute__lt=int(NOON.timestamp()) // 60 + 5).update(packets=None)
    Hour.objects.update(sent=0)
    told = list(rebuild_all([alice.pk, bob.pk], NOON + 3 * HOUR))
    sent = list(Hour.objects.order_by("host", "hour").values_list("sent", flat=True))
    assert [bool(number) for number in sent] == [False, True, True, True, True]
    assert [step.done for step in told] == [1, 2, 3, 4]
    assert {step.total for step in told} == {5}


def test_a_minute_that_the_watcher_left_without_figures_gets_them() -> None:
    host = new_host()
    first = int(NOON.timestamp()) // 60
    write_minute(host, first, [5, LOST, 7], counted=False)
    write_minute(host, first + 60, [1])
    tidy(NOON + 2 * HOUR)
    row = Minute.objects.get(minute=first)
    assert (row.sent, row.received, row.median_us) == (3, 2, 5)


def test_packets_go_first_then_minutes_and_hours_stay(settings: Settings) -> None:
    settings.PINGSITE_KEEP_PACKETS_DAYS, settings.PINGSITE_KEEP_MINUTES_DAYS = 2, 4
    alice, bob = new_host(), new_host("bob")
    for host in (alice, bob):
        for days in range(7):
            write_minutes(host, NOON - days * DAY, 3, draw)
    tidy(NOON + HOUR)
    for host in (alice, bob):
        rows = Minute.objects.filter(host=host)
        assert rows.count() == 4 * 3
        assert rows.filter(packets=None).count() == 2 * 3
        assert not rows.filter(sent=None).exists()
        assert Hour.objects.filter(host=host).count() == 6
    with_packets = Minute.objects.exclude(packets=None).values_list("minute", flat=True)
    assert min(with_packets) * 60 >= (NOON + HOUR - 2 * DAY).timestamp()


def test_tidying_what_is_tidy_asks_little(settings: Settings, django_assert_max_num_queries: object) -> None:
    settings.PINGSITE_KEEP_PACKETS_DAYS = 2
    host = new_host()
    for days in range(7):
        write_minutes(host, NOON - days * DAY, 3, draw)
    tidy(NOON)
    with django_assert_max_num_queries(13):  # type: ignore[operator]
        assert [step.done for step in tidy(NOON)] == [1]


def test_hours_go_only_where_the_setting_says_so(settings: Settings) -> None:
    host = new_host()
    write_minutes(host, NOON, 121, draw)
    tidy(NOON + 2 * HOUR)
    tidy(NOON + 400 * DAY)
    # With the minutes gone, the hour that they began is written too.
    assert Hour.objects.count() == 3
    settings.PINGSITE_KEEP_HOURS_DAYS = 30
    tidy(NOON + 400 * DAY)
    assert not Hour.objects.exists()


def test_a_deleted_host_takes_its_history_along_at_the_next_tidying() -> None:
    alice, bob = new_host(), new_host("bob")
    for host in (alice, bob):
        write_minutes(host, NOON, 121, draw)
    tidy(NOON + 2 * HOUR)
    Host.objects.get(pk=alice.pk).delete()
    assert Minute.objects.filter(host_id=alice.pk).exists()
    tidy(NOON + 2 * HOUR)
    assert set(Minute.objects.values_list("host_id", flat=True)) == {bob.pk}
    assert set(Hour.objects.values_list("host_id", flat=True)) == {bob.pk}


async def test_long_work_tells_how_far_it_is() -> None:
    host = await ask(new_host)
    await ask(write_minutes, host, NOON, 241, draw)
    told: list[Progress] = []
    await work_off(roll_up([host.pk], NOON + 5 * HOUR), told.append)
    assert told[-1] == Progress("roll-up", 1, 1)
    assert await ask(Hour.objects.count) == 4


def test_no_step_keeps_another_writer_waiting_long(settings: Settings) -> None:
    """Another connection writes all the while, as the keeper does; it is never kept waiting for as long as a second,
    though all of the work takes several times that."""
    if connection.vendor != "sqlite":
        pytest.skip("other databases lock rows")
    settings.PINGSITE_KEEP_PACKETS_DAYS, settings.PINGSITE_KEEP_MINUTES_DAYS = 2, 3
    now = timezone.now()
    for number in range(20):
        write_minutes(new_host(f"host-{number}"), now - 4 * DAY, 240, draw)
        write_minutes(Host.objects.get(slug=f"host-{number}"), now - 2.5 * DAY, 240, draw)
    waits: list[float] = []
    over = threading.Event()

    def write() -> None:
        other = sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None, timeout=20)
        while not over.is_set():
            began = time.perf_counter()
            other.execute("BEGIN IMMEDIATE")
            waits.append(time.perf_counter() - began)
            other.execute("ROLLBACK")
            time.sleep(0.002)
        other.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        tidy(now)
    finally:
        over.set()
        writer.join()
    assert Minute.objects.filter(packets=None).count() == 20 * 240
    assert Minute.objects.count() == 20 * 240
    waits.sort()
    assert len(waits) > 20
    assert waits[len(waits) * 9 // 10] < 0.25
