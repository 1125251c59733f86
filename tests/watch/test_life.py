"""What a watcher makes of hosts that stop answering: on record from the first lost packet, whatever comes between."""

import asyncio
import datetime as dt
import json
import sqlite3
import time
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from monitor.health import Health, State
from monitor.incidents import from_us
from monitor.models import Host, Incident, Maintenance, Rules, Transition
from monitor.ping.reply import Reply, Status
from monitor.resumption import resume
from monitor.roster import pause_hosts
from monitor.rulings import Rulings
from monitor.standing import Why
from monitor.watched import Watched
from tests.watch.histories import new_host, write_minute
from tests.watch.links import Link
from tests.watch.sites import looking, serving, until, watch, working
from tests.watch.test_watcher import do

pytestmark = pytest.mark.django_db(transaction=True)

QUICK = {"interval": 0.2, "timeout": 0.5}


def strict() -> None:
    """Five lost within a second are an outage, and nothing else is anything."""
    Rules.objects.create(lost_in_row=5, lost_s=0.5, loss=0, p95_times=0)


def to_ms(moment: dt.datetime) -> int:
    return round(moment.timestamp() * 1000)


def incidents(**wish: Any) -> list[Incident]:
    return list(Incident.objects.filter(**wish).order_by("began_at"))


async def find(number: int = 1, timeout: float = 20, **wish: Any) -> list[Incident]:
    """The incidents of this kind, as soon as there are so many."""
    async with asyncio.timeout(timeout):
        while len(found := await do(incidents, **wish)) < number:  # noqa: ASYNC110 - a row has no event
            await asyncio.sleep(0.05)
    return found


async def up(watcher: Any, *hosts: Host) -> None:
    await until(lambda: watcher.shift and all(host.pk in watcher.shift.watched for host in hosts))
    await until(lambda: all(watcher.shift.watched[host.pk].state is State.UP for host in hosts))
    await asyncio.sleep(0.7)


async def test_an_outage_is_on_record_from_its_first_lost_packet_to_its_first_reply() -> None:
    await do(strict)
    (host,) = await do(watch, "alice", **QUICK)
    link = Link()
    async with working(open_engine=link.open) as watcher:
        await up(watcher, host)
        link.cut = {"127.0.1.1"}
        (incident,) = await find()
        first = link.find("127.0.1.1", False)
        assert (incident.began_at, incident.state, incident.reason) == (from_us(first), "down", "lost_in_row")
        assert incident.measure == {"value": 5, "limit": 5}
        fifth = [due for due, answered in link.log["127.0.1.1"] if not answered][4]
        assert incident.judged_until == from_us(fifth) < incident.noticed_at <= timezone.now()
        row = watcher.shift.watched[host.pk].row(time.time_ns() // 1000)
        assert row.endswith(f',{first // 1000},"lost_in_row",5]')
        link.cut = set()
        mended_at = link.log["127.0.1.1"][-1][0]
        (incident,) = await find(ended_at__isnull=False)
    assert incident.ended_at == from_us(link.find("127.0.1.1", True, mended_at))
    assert incident.ending == "recovered"
    states = await do(lambda: list(Transition.objects.order_by("at").values_list("state", "at")))
    assert [state for state, _ in states] == ["up", "down", "up"]
    assert [at for _, at in states][1:] == [incident.began_at, incident.ended_at]


async def test_a_restart_in_the_midst_of_an_outage_goes_on_with_it() -> None:
    await do(strict)
    (host,) = await do(watch, "alice", **QUICK)
    link, second = Link(), Link()
    async with working(open_engine=link.open) as watcher:
        await up(watcher, host)
        link.cut = second.cut = {"127.0.1.1"}
        (before,) = await find()
    await asyncio.sleep(1)
    async with working(open_engine=second.open) as watcher:
        await until(lambda: watcher.shift and watcher.shift.watched.get(host.pk))
        await until(lambda: watcher.shift.watched[host.pk].resumed)
        assert watcher.shift.watched[host.pk].state is State.DOWN
        await asyncio.sleep(1)
        second.cut = set()
        mended_at = second.log["127.0.1.1"][-1][0]
        (after,) = await find(ended_at__isnull=False)
    assert (after.pk, after.began_at) == (before.pk, before.began_at)
    assert after.ended_at == from_us(second.find("127.0.1.1", True, mended_at))
    assert await do(Incident.objects.count) == 1
    states = await do(lambda: list(Transition.objects.order_by("at").values_list("state", flat=True)))
    assert states == ["up", "down", "not_measured", "down", "up"], "nobody measured in between"


async def test_two_watchers_come_to_one_incident() -> None:
    await do(strict)
    (host,) = await do(watch, "alice", **QUICK)
    link = Link()
    async with working(open_engine=link.open) as first, working(open_engine=link.open) as second:
        await until(lambda: first.shift or second.shift)
        await up(first if first.shift else second, host)
        link.cut = {"127.0.1.1"}
        await find()
        await (first if first.shift else second).close()
        await until(lambda: first.shift and second.shift)
        await asyncio.sleep(2)
    assert await do(Incident.objects.count) == 1


async def test_an_incident_that_opens_while_the_database_is_away_is_recorded_when_it_is_back() -> None:
    await do(strict)
    (host,) = await do(watch, "alice", **QUICK)
    link = Link()
    async with working(open_engine=link.open) as watcher:
        await up(watcher, host)
        lock = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None, timeout=10)
        lock.execute("BEGIN EXCLUSIVE")
        link.cut = {"127.0.1.1"}
        await until(lambda: watcher.shift.watched[host.pk].state is State.DOWN)
        await asyncio.sleep(1)
        link.cut = set()
        mended_at = link.log["127.0.1.1"][-1][0]
        await until(lambda: watcher.shift.watched[host.pk].state is State.UP)
        lock.execute("ROLLBACK")
        lock.close()
        (incident,) = await find(ended_at__isnull=False)
    assert incident.began_at == from_us(link.find("127.0.1.1", False))
    assert incident.ended_at == from_us(link.find("127.0.1.1", True, mended_at))


async def test_a_pause_ends_an_outage_and_going_on_begins_anew() -> None:
    await do(strict)
    (host,) = await do(watch, "alice", **QUICK)
    link = Link()
    async with working(open_engine=link.open) as watcher:
        await up(watcher, host)
        link.cut = {"127.0.1.1"}
        await find()
        await do(pause_hosts, [host.pk], paused=True)
        await find(ending="paused")
        paused_at = time.time_ns() // 1000
        await do(pause_hosts, [host.pk], paused=False)
        _, again = await find(2)
    assert again.began_at == from_us(link.find("127.0.1.1", False, paused_at))


async def test_maintenance_that_begins_in_the_midst_of_an_outage_ends_it_and_one_that_ends_begins_another() -> None:
    await do(strict)
    (host,) = await do(watch, "alice", **QUICK)
    link = Link()
    async with working(open_engine=link.open) as watcher:
        await up(watcher, host)
        link.cut = {"127.0.1.1"}
        await find()
        began = timezone.now().replace(microsecond=0) + dt.timedelta(seconds=2)
        window = await do(
            Maintenance.objects.create, name="m", starts_on=began.date(), starts_at=began.time(), minutes=9
        )
        (incident,) = await find(ending="maintenance")
        assert incident.ended_at == began
        watched = watcher.shift.watched[host.pk]
        assert watched.state is State.MAINTENANCE
        row, ends = json.loads(watched.row(0)), began + dt.timedelta(minutes=9)
        assert (row[1], row[6:]) == ("maintenance", [to_ms(began), "until", to_ms(ends)])
        await do(Maintenance.objects.filter(pk=window.pk).update, minutes=20)
        await until(lambda: json.loads(watched.row(0))[8] == to_ms(began + dt.timedelta(minutes=20)))
        cancelled = timezone.now()
        await do(Maintenance.objects.filter(pk=window.pk).update, cancelled=True)
        _, again = await find(2)
        assert cancelled <= again.began_at <= cancelled + dt.timedelta(seconds=10)
        assert (again.state, again.reason) == ("down", "lost_in_row")
    states = await do(lambda: list(Transition.objects.order_by("at").values_list("state", flat=True)))
    assert states == ["up", "down", "maintenance", "down"]


async def test_an_outage_within_maintenance_is_nothing() -> None:
    await do(strict)
    (host,) = await do(watch, "alice", **QUICK)
    link, now = Link(), timezone.now() - dt.timedelta(minutes=2)
    await do(Maintenance.objects.create, name="m", starts_on=now.date(), starts_at=now.time(), minutes=9)
    async with working(open_engine=link.open) as watcher:
        await until(lambda: watcher.shift and watcher.shift.watched.get(host.pk))
        await until(lambda: watcher.shift.watched[host.pk].state is State.MAINTENANCE)
        await asyncio.sleep(0.5)
        link.cut = {"127.0.1.1"}
        await until(lambda: watcher.shift.watched[host.pk].health.state is State.DOWN)
        await asyncio.sleep(1)
    assert await do(Incident.objects.count) == 0


async def test_pages_of_incidents_are_told_when_one_is_on_record_and_when_it_is_over() -> None:
    await do(strict)
    alice, _ = await do(watch, "alice", "bob", **QUICK)
    link = Link()
    async with serving(open_engine=link.open) as application:
        await up(application.watcher, alice)
        async with looking(application, hosts=[], incidents=True) as page, looking(application) as board:
            link.cut = {"127.0.1.1"}
            assert await page.hear_until("incidents", 10) == {"event": "incidents", "hosts": [alice.pk], "open": 1}
            assert await do(lambda: Incident.objects.get().ended_at) is None
            link.cut = set()
            assert await page.hear_until("incidents", 10) == {"event": "incidents", "hosts": [alice.pk], "open": 0}
            assert await do(lambda: Incident.objects.get().ending) == "recovered"
            heard = {(await board.hear())["event"] for _ in range(10)}
            assert "incidents" not in heard


async def test_rules_that_change_hold_at_once() -> None:
    (host,) = await do(watch, "alice", **QUICK)
    link = Link()
    async with working(open_engine=link.open) as watcher:
        await up(watcher, host)
        before = watcher.shift.watched[host.pk].ruled
        await do(Rules.objects.create, host=host, lost_in_row=3, lost_s=0.1)
        await until(lambda: watcher.shift.watched[host.pk].ruled > before)
        link.cut = {"127.0.1.1"}
        (incident,) = await find()
    assert incident.measure == {"value": 3, "limit": 3}


async def test_a_host_behind_one_that_is_down_is_recorded_and_stands_behind_it() -> None:
    await do(strict)
    parent, child, *_ = await do(watch, "gateway", "child", "well", "fine", "good", **QUICK)
    await do(Host.objects.filter(pk=child.pk).update, parent=parent, changed_at=timezone.now())
    link = Link()
    async with working(open_engine=link.open) as watcher:
        await up(watcher, parent, child)
        link.cut = {"127.0.1.1", "127.0.1.2"}
        await find(2)
        (behind,) = await find(behind__isnull=False)
    assert (behind.host_id, behind.behind_id) == (child.pk, parent.pk)


async def test_two_hundred_hosts_behind_one_cut_link_are_one_incident() -> None:
    await do(strict)
    hosts = await do(watch, *[f"h{place}" for place in range(200)], interval=1.0, timeout=0.5)
    link = Link()
    async with working(open_engine=link.open) as watcher:
        await up(watcher, *hosts)
        link.cut = {host.host for host in hosts}
        (network,) = await find(host=None)
        await find(200, part_of=network)
        (network,) = await find(host=None, measure__value=200)
        assert await do(Incident.objects.filter(part_of=None).count) == 1
        assert network.began_at == from_us(min(link.find(host.host, False) for host in hosts))
        link.cut = set()
        await find(host=None, ended_at__isnull=False)


def test_an_outage_is_noticed_when_the_last_of_its_packets_was_given_up_not_when_it_left() -> None:
    watched, minute_ago = Watched(new_host(state="up")), time.time_ns() // 1000 - 60_000_000
    watched.resume(Health(State.UP), 0, Why(), [])
    dues = [minute_ago + index * 1_000_000 for index in range(6)]
    began = time.time_ns() // 1000
    found = [each for index, due in enumerate(dues) for each in watched.judge(Reply(index, Status.TIMEOUT, due), due)]
    assert [(each.at, each.judged_until, each.noticed_at >= began) for each in found] == [(dues[0], dues[5], True)]


def test_what_was_kept_and_not_recorded_when_it_was_killed_is_found_again() -> None:
    now = timezone.now()
    minute = int(now.timestamp()) // 60 - 1
    host = new_host(state="up", state_since=from_us((minute - 9) * 60_000_000))
    for place in range(minute - 9, minute):
        write_minute(host, place, [900] * 60)
    write_minute(host, minute, [900] * 20 + [-1] * 20)
    (found,) = resume([host], Rulings()).values()
    assert found.health.state is State.DOWN
    assert found.changes[-1].after is State.DOWN
    assert found.changes[-1].at == minute * 60_000_000 + 20_250_000
    assert found.until == minute * 60_000_000 + 40_250_000


def test_what_was_recorded_is_not_found_again() -> None:
    minute = int(timezone.now().timestamp()) // 60 - 1
    first = minute * 60_000_000 + 20_250_000
    host = new_host(state="down", state_since=from_us(first))
    judged = from_us(first + 5_000_000)
    fields = {"began_at": from_us(first), "noticed_at": judged + dt.timedelta(seconds=2), "judged_until": judged}
    Incident.objects.create(host=host, state="down", reason="lost_in_row", **fields)
    write_minute(host, minute, [900] * 20 + [-1] * 20)
    (found,) = resume([host], Rulings()).values()
    assert (found.health.state, found.changes, found.why.reason) == (State.DOWN, [], "lost_in_row")


def test_what_came_after_the_last_packet_judged_is_found_although_it_was_noticed_later() -> None:
    minute = int(timezone.now().timestamp()) // 60 - 1
    first = minute * 60_000_000 + 10_250_000
    host = new_host(state="down", state_since=from_us(first))
    judged = from_us(first + 5_000_000)
    fields = {"began_at": from_us(first), "noticed_at": judged + dt.timedelta(seconds=30), "judged_until": judged}
    Incident.objects.create(host=host, state="down", reason="lost_in_row", **fields)
    write_minute(host, minute, [900] * 10 + [-1] * 6 + [900] * 10)
    (found,) = resume([host], Rulings()).values()
    assert [(change.after, change.at) for change in found.changes] == [(State.UP, first + 6_000_000)]


def test_twenty_hosts_are_resumed_in_little_time() -> None:
    minute = int(timezone.now().timestamp()) // 60 - 1
    hosts = [new_host(f"h{place}", state="up", state_since=timezone.now()) for place in range(20)]
    for host in hosts:
        for place in range(minute - 10, minute):
            write_minute(host, place, [900] * 60)
    started = time.process_time()
    assert len(resume(hosts, Rulings())) == 20
    assert time.process_time() - started < 2
