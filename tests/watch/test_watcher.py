"""The watcher with the real engine on 127.0.0.0/8: what it asks and when, and what ends it."""

import asyncio
import datetime as dt
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from monitor import watched
from monitor.health import State
from monitor.minutes import read_minutes
from monitor.models import Host, Lease
from monitor.packing import Code, unpack
from monitor.ping.host import BadHost
from monitor.ping.permission import PingForbidden
from monitor.roster import change_host, pause_hosts
from monitor.slumber import Slumber
from tests.deploy.process import wait_until
from tests.watch.sites import until, watch, working

pytestmark = pytest.mark.django_db(transaction=True)

QUICK = {"interval": 0.2, "timeout": 0.5}
FOREVER = 1 << 40


def packets(host: Host) -> list[int]:
    """Every value kept of a host, in the order sent."""
    return [value for _, slots in read_minutes(host.pk, 0, FOREVER) for value in slots.values]


async def kept(host: Host) -> list[int]:
    return await asyncio.to_thread(_in_thread, packets, host)


async def more(host: Host, number: int) -> list[int]:
    """Every value kept of a host, as soon as there are so many more of them."""
    before = len(await kept(host))
    async with asyncio.timeout(30):
        while len(values := await kept(host)) < before + number:  # noqa: ASYNC110 - a row has no event
            await asyncio.sleep(0.1)
    return values


def is_answer(value: int) -> bool:
    """Whether it was answered; a busy machine may miss the time of a packet, and says so."""
    return value >= 0 or value == Code.NOT_SENT


def _in_thread(ask: Any, *args: Any) -> Any:
    try:
        return ask(*args)
    finally:
        connection.close()


async def do(ask: Any, *args: Any, **options: Any) -> Any:
    """What blocks on the database, as somebody in another process would do it."""
    return await asyncio.to_thread(_in_thread, lambda: ask(*args, **options))


async def test_every_host_is_asked_and_every_packet_kept() -> None:
    hosts = await do(watch, "alice", "bob", "carol", **QUICK, host="127.0.1.7")
    began = time.monotonic()
    async with working() as watcher:
        await until(lambda: watcher.shift and len(watcher.shift.watched) == 3)
        await asyncio.sleep(3)
    most = (time.monotonic() - began) / 0.2 + 1
    for host in hosts:
        values = await kept(host)
        assert 12 <= len(values) <= most
        assert all(is_answer(value) and value < 1_000_000 for value in values)
        assert any(value >= 0 for value in values)
        await host.arefresh_from_db()
        assert (host.state, host.address, host.problem) == ("up", "127.0.1.7", "")
        assert host.state_since is not None


async def test_packets_are_spread_and_never_sent_in_bursts() -> None:
    await do(watch, *[f"host {place}" for place in range(20)], timeout=0.5)
    async with working() as watcher:
        await until(lambda: watcher.shift and len(watcher.shift.watched) == 20)
        await until(lambda: all(each.course for each in watcher.shift.watched.values()))
        dues = sorted(each.course.due % 1_000_000_000 for each in watcher.shift.watched.values())
    gaps = [later - sooner for sooner, later in zip(dues, [*dues[1:], dues[0] + 1_000_000_000], strict=True)]
    assert max(gaps) < 150_000_000
    assert min(gaps) > 10_000_000


async def test_hosts_added_changed_paused_and_removed_take_effect_at_once() -> None:
    (alice,) = await do(watch, "alice", **QUICK)
    async with working() as watcher:
        await until(lambda: watcher.shift and watcher.shift.watched.get(alice.pk))
        watched = watcher.shift.watched
        (bob,) = await do(watch, "bob", **QUICK)
        await until(lambda: bob.pk in watched and watched[bob.pk].course)
        await do(change_host, bob, {"host": "127.0.1.99"})
        await until(lambda: watched[bob.pk].course and watched[bob.pk].course.target.address == "127.0.1.99")
        await do(change_host, bob, {"interval": 5.0})
        await until(lambda: watched[bob.pk].course.interval == 5_000_000_000)
        await do(pause_hosts, [bob.pk], paused=True)
        await until(lambda: watched[bob.pk].course is None)
        assert watched[bob.pk].health.state is State.PAUSED
        await do(pause_hosts, [bob.pk], paused=False)
        await until(lambda: watched[bob.pk].health.state is State.UP)
        await do(Host.objects.filter(pk=bob.pk).delete)
        await until(lambda: bob.pk not in watched)
        await more(alice, 4)


async def test_two_watchers_started_by_accident_do_not_double_the_pings() -> None:
    (host,) = await do(watch, "alice", **QUICK)
    began = time.monotonic()
    async with working() as first, working() as second:
        await until(lambda: first.shift or second.shift)
        await asyncio.sleep(4)
        assert (first.shift is None) != (second.shift is None)
    assert 15 <= len(await kept(host)) <= (time.monotonic() - began) / 0.2 + 1
    assert not await Lease.objects.aexists()


async def test_a_watcher_that_goes_is_followed_by_the_one_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    # So that a lease is had by its being given back alone.
    monkeypatch.setattr("monitor.lease.LEASE", dt.timedelta(minutes=9))
    (host,) = await do(watch, "alice", **QUICK)
    async with working() as second:
        await until(lambda: second.shift)
        async with working() as third:
            await asyncio.sleep(1)
            assert third.shift is None
            await second.close()
            await until(lambda: third.shift)
            await until(
                lambda: third.shift.watched.get(host.pk) and third.shift.watched[host.pk].health.state is State.UP
            )


async def test_a_watcher_that_lost_the_lease_asks_nothing_more_and_writes_nothing_more() -> None:
    (host,) = await do(watch, "alice", **QUICK)
    async with working() as watcher:
        await until(
            lambda: watcher.shift and watcher.shift.watched.get(host.pk) and watcher.shift.watched[host.pk].course
        )
        shift = watcher.shift
        await do(lambda: Lease.objects.update(holder="somebody else"))
        await until(lambda: all(each.course is None for each in shift.watched.values()))
        await asyncio.sleep(0.5)
        number = len(await kept(host))
        await asyncio.sleep(1.5)
        assert len(await kept(host)) == number
    assert (await Lease.objects.aget()).holder == "somebody else"


async def test_a_name_that_does_not_resolve_is_watched_and_says_so() -> None:
    (host,) = await do(watch, "nowhere", host="nowhere.invalid")

    def resolve(name: str, family: str) -> list[str]:
        raise BadHost("unknown_host", "", "No such host.")

    async with working(resolve=resolve) as watcher:
        await until(lambda: watcher.shift and watcher.shift.watched.get(host.pk))
        watched = watcher.shift.watched[host.pk]
        await until(lambda: watched.health.state is State.NOT_MEASURED)
        assert json.loads(watched.row(time.time_ns() // 1000))[1:3] == ["not_measured", "unknown_host"]
        await asyncio.sleep(2)
    await host.arefresh_from_db()
    assert (host.state, host.problem, host.address) == ("not_measured", "unknown_host", None)
    assert set(await kept(host)) == {Code.NO_NAME}


async def test_a_name_that_resolves_later_is_asked_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.lookups.RETRY_SECONDS", 0.2)
    (host,) = await do(watch, "somewhere", host="somewhere.example", **QUICK)
    answers: list[list[str]] = [[], ["127.0.3.1"], ["127.0.3.2"]]
    now = answers[0]

    def resolve(name: str, family: str) -> list[str]:
        if not now:
            raise BadHost("name_timeout", "", "No answer.")
        return now

    async with working(resolve=resolve) as watcher:
        await until(lambda: watcher.shift and watcher.shift.watched.get(host.pk))
        watched = watcher.shift.watched[host.pk]
        await until(lambda: watched.problem == "name_timeout")
        now = answers[1]
        await until(lambda: watched.health.state is State.UP)
        assert watched.course.target.address == "127.0.3.1"
        now = answers[2]
        watched.look_up_at = 0
        await until(lambda: watched.course.target.address == "127.0.3.2")
        await asyncio.sleep(1)
        now = answers[0]
        watched.look_up_at = 0
        await asyncio.sleep(1)
        assert watched.course.target.address == "127.0.3.2", "the name service being away is no reason to stop"
    await host.arefresh_from_db()
    assert (host.state, host.problem, host.address) == ("up", "", "127.0.3.2")


@pytest.mark.parametrize("address", ["224.0.0.1", "255.255.255.255"])
async def test_a_name_that_leads_to_many_machines_is_not_asked(address: str) -> None:
    (host,) = await do(watch, "many", host="many.example")
    async with working(resolve=lambda name, family: [address]) as watcher:
        await until(lambda: watcher.shift and watcher.shift.watched.get(host.pk))
        watched = watcher.shift.watched[host.pk]
        await until(lambda: watched.health.state is State.NOT_MEASURED)
        assert watched.course is None


async def test_a_machine_that_may_not_ping_says_why_nothing_is_measured() -> None:
    (host,) = await do(watch, "alice")

    def forbid(*args: Any, **options: Any) -> Any:
        raise PingForbidden("Nothing is permitted here.", "sysctl -w net.ipv4.ping_group_range='0 2147483647'")

    async with working(open_engine=forbid) as watcher:
        await until(lambda: watcher.shift and watcher.shift.watched.get(host.pk))
        watched = watcher.shift.watched[host.pk]
        await until(lambda: watched.health.state is State.NOT_MEASURED)
        assert json.loads(watched.row(0))[2] == "not_permitted"
        await asyncio.sleep(1.5)
    assert set(await kept(host)) == {Code.FORBIDDEN}


async def test_a_host_that_was_down_before_a_restart_is_down_since_then() -> None:
    (host,) = await do(watch, "alice", **QUICK)
    async with working() as watcher:
        await until(lambda: watcher.shift and watcher.shift.watched.get(host.pk))
        await until(lambda: watcher.shift.watched[host.pk].health.state is State.UP)
    await host.arefresh_from_db()
    since = host.state_since
    async with working() as watcher:
        await until(lambda: watcher.shift and watcher.shift.watched.get(host.pk))
        await until(lambda: watcher.shift.watched[host.pk].health.state is State.UP)
        assert watcher.shift.watched[host.pk].health.since == round(since.timestamp() * 1e6)
    await host.arefresh_from_db()
    assert host.state_since == since


async def test_a_machine_that_slept_leaves_a_gap_that_says_so() -> None:
    (host,) = await do(watch, "alice", **QUICK)
    slept, hour = 0, 3600 * 1_000_000_000

    def read() -> tuple[int, int, int]:
        # An hour ago, where no real packets are.
        now = time.monotonic_ns()
        return now, now + slept, time.time_ns() - hour

    async with working() as watcher:
        await until(lambda: watcher.shift and watcher.shift.watched.get(host.pk))
        await until(lambda: watcher.shift.watched[host.pk].health.state is State.UP)
        watcher.shift._slumber = Slumber(read)
        await asyncio.sleep(1)
        slept = 30 * 1_000_000_000
        await asyncio.sleep(1)
        assert watcher.shift.watched[host.pk].health.state is State.UP
    values = await kept(host)
    assert 110 <= values.count(Code.ASLEEP) <= 150
    assert not [value for value in values if Code.BLOCKED <= value <= Code.TIMEOUT]


async def test_a_failure_of_the_watching_is_logged_and_the_watching_goes_on(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (host,) = await do(watch, "alice", **QUICK)
    async with working() as watcher:
        await until(lambda: watcher.shift and watcher.shift.watched.get(host.pk))
        before = watcher.shift
        before._replies.append(None)  # type: ignore[arg-type]
        before._arrived.set()
        await until(lambda: watcher.shift is not before)
        await until(
            lambda: watcher.shift.watched.get(host.pk) and watcher.shift.watched[host.pk].health.state is State.UP
        )
    assert "watching failed" in caplog.text


async def test_an_engine_that_failed_and_forgot_its_hosts_is_told_of_them_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watched, "MUTE_SECONDS", 0.5)
    (host,) = await do(watch, "alice", interval=0.2, timeout=0.5)
    async with working() as watcher:
        await until(lambda: watcher.shift and host.pk in watcher.shift.watched, 30)
        await until(lambda: watcher.shift.watched[host.pk].health.state is State.UP, 30)
        land, failures = watcher._engine._land, []

        def fail(*_: Any) -> int:
            monkeypatch.setattr(watcher._engine, "_land", land)
            failures.append(time.time_ns() // 1000)
            raise OSError("what nobody thought of")

        monkeypatch.setattr(watcher._engine, "_land", fail)
        await until(lambda: failures and watcher.shift.watched[host.pk].answered > failures[0] + 1_000_000, 30)


@contextmanager
def process(data: Path) -> Iterator[subprocess.Popen[str]]:
    """`manage.py watch` as a process of its own, ready."""
    environment = os.environ | {"PINGSITE_DATA": str(data), "DATABASE_URL": ""}
    command = [sys.executable, "-u", str(settings.BASE_DIR / "manage.py"), "watch"]
    child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout.readline() == "watcher is ready\n"
        yield child
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a database of one host that is asked five times a second."""
    folder = tmp_path_factory.mktemp("prepared")
    environment = os.environ | {"PINGSITE_DATA": str(folder), "DATABASE_URL": ""}
    program = (
        "import django; django.setup();"
        "from django.core.management import call_command; call_command('migrate', verbosity=0);"
        "from tests.watch.sites import watch; watch('alice', interval=0.2, timeout=0.5)"
    )
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, cwd=settings.BASE_DIR)
    return folder


@pytest.fixture
def data(prepared: Path, tmp_path: Path) -> Path:
    """A copy of that folder for a test of its own."""
    return shutil.copytree(prepared, tmp_path / "data")


def ask(data: Path, query: str) -> list[tuple[Any, ...]]:
    """Rows of the database in a data folder."""
    with sqlite3.connect(data / "pingsite.sqlite3", timeout=20) as database:
        rows = database.execute(query).fetchall()
    database.close()
    return rows


def values_in(data: Path) -> list[tuple[int, int]]:
    """Every kept value of the one host with when it was due (ms)."""
    found = []
    for minute, packed in ask(data, "SELECT minute, packets FROM monitor_minute ORDER BY minute"):
        for slots in unpack(packed):
            found += [
                (minute * 60_000 + slots.offset_ms + place * slots.interval_ms, value)
                for place, value in enumerate(slots.values)
            ]
    return sorted(found)


def wait_for(data: Path, query: str, timeout: float = 40) -> float:
    """How long it takes until a query has an answer that is true."""
    started = time.monotonic()
    while not (rows := ask(data, query)) or not rows[0][0]:
        assert time.monotonic() < started + timeout, query
        time.sleep(0.05)
    return time.monotonic() - started


def answers(data: Path, since: float) -> list[int]:
    """When the answers that were written were due (ms), from a time on."""
    return [due for due, value in values_in(data) if value >= 0 and due > since]


def test_a_watcher_that_is_killed_is_replaced_within_seconds_and_loses_a_second_or_two(data: Path) -> None:
    with process(data) as first:
        wait_for(data, "SELECT count(*) FROM monitor_lease")
        (holder,) = ask(data, "SELECT holder FROM monitor_lease")[0]
        with process(data):
            time.sleep(2)
            # A machine that stalls just now writes as soon as it goes on.
            wait_until(lambda: answers(data, since=time.time() * 1000 - 2000), "answers are written")
            killed_at = time.time() * 1000
            first.kill()
            wait_for(data, f"SELECT holder != '{holder}' FROM monitor_lease")
            wait_until(lambda: len(answers(data, since=killed_at)) >= 5, "the other asks")
            values = values_in(data)
    before = [due for due, value in values if due < killed_at and value >= 0]
    assert killed_at - max(before) < 2500
    assert min(answers(data, since=killed_at)) - killed_at < 15_000
    assert all(value >= 0 for due, value in values if due < max(before)), "what was acknowledged is still there"


def test_a_process_that_is_stopped_leaves_a_gap_and_no_outage(data: Path) -> None:
    with process(data) as child:
        wait_for(data, "SELECT state = 'up' FROM monitor_host")
        time.sleep(1.5)
        child.send_signal(signal.SIGSTOP)
        stopped_at = time.time() * 1000
        time.sleep(4)
        went_on_at = time.time() * 1000
        child.send_signal(signal.SIGCONT)
        time.sleep(3)
        wait_until(lambda: answers(data, since=went_on_at), "it goes on")
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 0
    values = values_in(data)
    assert not [value for due, value in values if Code.BLOCKED <= value <= Code.TIMEOUT], "nothing of it is a loss"
    gap = [value for due, value in values if stopped_at + 600 < due < went_on_at - 600]
    assert all(value <= Code.UNKNOWN for value in gap)
    assert ask(data, "SELECT state FROM monitor_host") == [("up",)]


def test_packets_wait_while_the_database_is_locked_and_are_written_in_order(data: Path) -> None:
    with process(data) as child:
        wait_for(data, "SELECT state = 'up' FROM monitor_host")
        lock = sqlite3.connect(data / "pingsite.sqlite3", isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        locked_at = time.time() * 1000
        time.sleep(4)
        lock.execute("ROLLBACK")
        lock.close()
        free_at = time.time() * 1000
        wait_until(lambda: any(due > free_at for due, _ in values_in(data)), "what waited is written")
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 0
    during = [value for due, value in values_in(data) if locked_at < due < free_at]
    assert len(during) >= 18
    assert all(is_answer(value) for value in during)
    assert any(value >= 0 for value in during)


def test_a_watcher_that_is_told_to_stop_writes_everything_and_gives_the_lease_back(data: Path) -> None:
    with process(data) as child:
        wait_for(data, "SELECT count(*) FROM monitor_minute")
        time.sleep(2)
        told_at = time.time() * 1000
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 0
    assert ask(data, "SELECT count(*) FROM monitor_lease") == [(0,)]
    assert told_at - max(due for due, value in values_in(data) if is_answer(value)) < 1500
