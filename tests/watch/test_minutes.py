"""Minutes: what is kept comes back in its slots, whatever order, fault or restart it went through."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import OperationalError, connection

from monitor import minutes
from monitor.minutes import Keeper, read_minutes
from monitor.models import Minute
from monitor.packing import LOST, NOT_MEASURED, Code, Slots
from monitor.ping.reply import Reply, Status
from tests.watch.histories import ask

pytestmark = pytest.mark.django_db(transaction=True)

SECOND = 1_000_000
START = 30_000_000 * 60 * SECOND
FIRST = 30_000_000


def keep(keeper: Keeper, number: int, value: int, *, host: int = 1, interval: float = 1.0, phase: float = 0.25) -> None:
    """Keep a value of the so many-th packet since START."""
    keeper.add_value(host, value, START + round((phase + number * interval) * SECOND), interval)


def read(host: int = 1) -> list[tuple[int, Slots]]:
    return [(minute - FIRST, slots) for minute, slots in read_minutes(host, 0, 1 << 31)]


def values(host: int = 1) -> list[int]:
    return [value for _, slots in read(host) for value in slots.values]


def start(code: str, *arguments: str, **options: object) -> "subprocess.Popen[str]":
    """A Python process, to be talked to."""
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload,no-any-return]


@contextmanager
def database_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have every statement of the keeper fail, as where the disk is full."""

    def fail(statement: str, rows: list[object]) -> int:
        raise OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(minutes, "_execute", fail)
        yield


async def test_what_is_kept_comes_back_in_its_slots() -> None:
    keeper = Keeper(pause=0)
    for number in range(150):
        keep(keeper, number, 1000 + number)
        await keeper.flush()
    await keeper.close()
    found = await ask(read)
    assert found == [
        (0, Slots(250, 1000, list(range(1000, 1060)))),
        (1, Slots(250, 1000, list(range(1060, 1120)))),
        (2, Slots(250, 1000, list(range(1120, 1150)))),
    ]


async def test_answers_come_in_any_order_and_the_slots_stay_in_the_order_sent() -> None:
    keeper, order = Keeper(pause=0), list(range(180))
    # Up to eight seconds late, as where the timeout is long.
    order.sort(key=lambda number: number + random.Random(number).choice((0, 0, 0, 8)))
    for number in order:
        keep(keeper, number, 5000 + number)
        if number % 3 == 0:
            await keeper.flush()
    await keeper.close()
    assert await ask(values) == [5000 + number for number in range(180)]
    assert len(await ask(read)) == 3


async def test_the_first_packet_of_a_minute_may_be_the_last_to_be_heard_of() -> None:
    keeper = Keeper(pause=0)
    for number in (*range(60), 61, 62, 63, 60, 64):
        keep(keeper, number, number)
        await keeper.flush()
    await keeper.close()
    assert (await ask(read))[1] == (1, Slots(250, 1000, [60, 61, 62, 63, 64]))


async def test_a_slot_that_nobody_reported_was_not_measured() -> None:
    keeper = Keeper(pause=0)
    for number in (0, 1, 4):
        keep(keeper, number, 7)
    await keeper.close()
    assert await ask(values) == [7, 7, NOT_MEASURED, NOT_MEASURED, 7]


async def test_replies_are_kept_with_the_reason_and_notes_are_not() -> None:
    keeper = Keeper(pause=0)
    for number, status in enumerate((Status.REPLY, Status.TIMEOUT, Status.NO_ROUTE, Status.NOT_SENT, Status.LATE)):
        rtt = 900 if status in (Status.REPLY, Status.LATE) else None
        keeper.add(1, Reply(number, status, 0, rtt_us=rtt), START + number * SECOND, 1.0)
    await keeper.close()
    assert await ask(values) == [900, LOST, Code.NO_ROUTE, Code.NOT_SENT]


async def test_a_faster_interval_has_slots_of_its_own_within_the_minute() -> None:
    keeper = Keeper(pause=0)
    for number in range(20):
        keep(keeper, number, 1)
    for number in range(100):
        keep(keeper, number, 2, interval=0.2, phase=20.1)
    for number in range(40, 60):
        keep(keeper, number, 3, phase=0.3)
    await keeper.close()
    assert await ask(read) == [
        (0, Slots(250, 1000, [1] * 20)),
        (0, Slots(20_100, 200, [2] * 100)),
        (0, Slots(40_300, 1000, [3] * 20)),
    ]


async def test_a_clock_that_is_adjusted_little_by_little_loses_no_slot() -> None:
    keeper = Keeper(pause=0)
    for number in range(300):
        keep(keeper, number, number, phase=0.25 + number * 0.0005)
    await keeper.close()
    assert await ask(values) == list(range(300))


async def test_a_restart_within_the_minute_goes_on_with_its_row() -> None:
    for number in range(3):
        keeper = Keeper(pause=0)
        for second in range(number * 20, number * 20 + 15):
            keep(keeper, second, second)
            await keeper.flush()
        await keeper.close()
    expected = [(0, Slots(first * 1000 + 250, 1000, list(range(first, first + 15)))) for first in (0, 20, 40)]
    assert await ask(read) == expected
    assert await Minute.objects.acount() == 1


@pytest.mark.parametrize("phase", [0.25, 0.7])
async def test_a_clock_set_back_overwrites_nothing(phase: float) -> None:
    keeper = Keeper(pause=0)
    for number in range(600):
        keep(keeper, number, number)
        await keeper.flush()
    for number in range(310, 420):
        keep(keeper, number, 10_000 + number, phase=phase)
        await keeper.flush()
    await keeper.close()
    found = await ask(values)
    assert sorted(found) == [*range(600), *range(10_310, 10_420)]


async def test_packets_wait_in_order_while_the_database_is_away_and_are_counted_where_there_is_no_room(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keeper = Keeper(capacity=200, pause=0)
    with database_away(monkeypatch):
        for number in range(250):
            keep(keeper, number, number)
            if number % 50 == 0:
                assert not await keeper.flush()
        assert (keeper.waiting, keeper.dropped) == (200, 50)
    assert await keeper.flush()
    assert keeper.waiting == 0
    keep(keeper, 250, 250)
    await keeper.close()
    assert await ask(values) == [*range(200), *[NOT_MEASURED] * 10, 250]
    assert "trying again" in caplog.text


LOCK = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
input()
database.rollback()
"""


async def test_a_database_that_is_locked_delays_packets_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("other databases lock rows")
    keeper = Keeper(pause=0)
    with start(LOCK, str(connection.settings_dict["NAME"])) as other:
        assert other.stdout
        assert other.stdin
        assert other.stdout.readline() == "locked\n"
        keep(keeper, 0, 0)
        flushing = asyncio.ensure_future(keeper.flush())
        await asyncio.sleep(0.2)
        assert not flushing.done()
        keep(keeper, 1, 1)
        assert keeper.waiting == 2
        other.stdin.write("\n")
        other.stdin.flush()
        assert await flushing
    await keeper.close()
    assert await ask(values) == [0, 1]


async def test_a_commit_that_only_looked_as_if_it_had_failed_doubles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    keeper, execute = Keeper(pause=0), minutes._execute

    def execute_and_fail(statement: str, rows: list[minutes.Row]) -> int:
        execute(statement, rows)
        raise OperationalError("the connection broke after the commit")

    keep(keeper, 0, 10)
    with monkeypatch.context() as patch:
        patch.setattr(minutes, "_execute", execute_and_fail)
        assert not await keeper.flush()
    keep(keeper, 1, 11)
    assert await keeper.flush()
    await keeper.close()
    assert await ask(values) == [10, 11]


async def test_figures_are_written_when_the_minute_is_over_and_again_where_an_answer_comes_late() -> None:
    keeper = Keeper(pause=0)
    for number in range(59):
        keep(keeper, number, 1000 + number)
    await keeper.flush()
    assert (await Minute.objects.aget()).sent is None
    keep(keeper, 60, 1)
    await keeper.flush()
    assert (await Minute.objects.aget(minute=FIRST)).sent == 59
    keep(keeper, 59, LOST)
    await keeper.flush()
    await keeper.close()
    row = await Minute.objects.aget(minute=FIRST)
    assert (row.sent, row.received, row.not_measured, row.reason) == (60, 59, 0, None)
    assert (row.min_us, row.median_us, row.max_us, row.jitter_sum_us) == (1000, 1029, 1058, 58)


async def test_whoever_lost_the_work_writes_nothing() -> None:
    keeper = Keeper(pause=0)
    keep(keeper, 0, 1)
    await keeper.close(write=False)
    assert not await Minute.objects.aexists()


async def test_many_hosts_are_one_row_a_minute_each() -> None:
    keeper = Keeper(pause=0)
    for second in range(130):
        for host in range(1, 31):
            keep(keeper, second, host * 1000 + second, host=host, phase=host / 31)
        await keeper.flush()
    await keeper.close()
    assert await Minute.objects.acount() == 90
    for host in (1, 30):
        assert await ask(values, host) == [host * 1000 + second for second in range(130)]


KILLED = """
import asyncio, sys, django
django.setup()
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
from monitor.minutes import Keeper

async def watch():
    keeper, number = Keeper(pause=0), 0
    while True:
        keeper.add_value(1, number, %d + number * 1_000_000, 1.0)
        number += 1
        if number %% 5 == 0:
            await keeper.flush()
            print(number - keeper.waiting, flush=True)

asyncio.run(watch())
"""


async def test_kill_9_loses_nothing_that_was_written() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("the child opens the test's own file")
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "pingsite.settings"}
    with start(KILLED % START, str(connection.settings_dict["NAME"]), env=environment) as child:
        assert child.stdout
        acknowledged = [int(child.stdout.readline()) for _ in range(60)][-1]
        child.send_signal(signal.SIGKILL)
        acknowledged = max([acknowledged, *(int(line) for line in child.stdout if line.endswith("\n"))])
    found = await ask(values)
    assert found == list(range(len(found)))
    assert len(found) >= acknowledged
