"""What goes wrong with telling stops nobody from watching."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from monitor.alerts import plan
from monitor.health import Health, State
from monitor.live import listen
from monitor.models import Channel, Delivery, Host, Incident
from monitor.news import News, read_weather
from monitor.ping.reply import Reply, Status
from monitor.standing import Noticed, Why
from monitor.watched import Watched
from monitor.wire_watch import INCIDENTS_GROUP
from tests.alerts.services import Service, carrying, do, make_channel, make_incident, service
from tests.watch.histories import new_host
from tests.watch.sites import watch

__all__ = ["service"]
pytestmark = pytest.mark.django_db(transaction=True)
SECOND_US = 1_000_000


async def call(work: Callable[[], Any]) -> Any:
    """As the watcher's, of which the database is there."""
    return await do(work)


async def test_a_channel_that_makes_no_sense_any_more_stops_neither_recording_nor_watching() -> None:
    await do(make_channel, "json://x", zone="Mars/Olympus", quiet_from="22:00", quiet_until="06:00")
    (host,) = await do(watch, "alice")
    news, watched = News(call), Watched(host)
    news.put(watched, [Noticed(host.pk, SECOND_US, State.DOWN, 7 * SECOND_US, "lost_in_row", 5, 5)])
    await news.deliver({host.pk: watched})
    assert await do(Incident.objects.filter(host=host, ended_at=None).exists)
    assert await do(Delivery.objects.count) == 1


async def test_what_cannot_be_planned_stops_neither_recording_nor_watching() -> None:
    await do(make_channel, "json://x", groups=7)
    (host,) = await do(watch, "alice")
    news, watched = News(call), Watched(host)
    news.put(watched, [Noticed(host.pk, SECOND_US, State.DOWN, 7 * SECOND_US, "lost_in_row", 5, 5)])
    await news.deliver({host.pk: watched})
    assert await do(Incident.objects.filter(host=host, ended_at=None).exists)


async def test_the_process_that_talks_is_ready_before_it_is_needed() -> None:
    await do(make_channel, "json://x")
    async with carrying() as courier:
        assert not courier._mouth.is_open
        courier.expect()
        async with asyncio.timeout(10):
            while not courier._mouth.is_open:  # noqa: ASYNC110
                await asyncio.sleep(0.05)


async def test_pages_are_told_what_became_of_each_message(service: Service) -> None:
    (alice,) = await do(watch, "alice")
    for host in (alice, None):
        await do(make_incident, host)
    await do(make_channel, service.url("json"))
    await do(Delivery.objects.create, channel=await Channel.objects.aget(), occasion="test")
    heard: list[Any] = []

    async def hear() -> None:
        async for message in listen(INCIDENTS_GROUP):
            # By then it is on record.
            sent = await Delivery.objects.filter(fate="sent").acount()
            heard.append((message["hosts"], message["open"], sent))

    hearing, news = asyncio.create_task(hear()), News(call)
    telling = asyncio.create_task(news.tell())
    await do(plan, timezone.now(), storm=False)
    async with asyncio.timeout(30):
        while await Delivery.objects.exclude(fate="sent").aexists():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        telling.cancel()
        await asyncio.wait([telling])
        # Told together, however many there were, and once.
        for _ in range(2):
            await news.deliver({})
        while not heard:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    hearing.cancel()
    await asyncio.wait([hearing])
    # The two are one, for alice is part of what this server's network suffers from.
    assert heard == [([alice.pk], 1, 3)]


async def test_what_became_of_a_message_is_told_when_the_database_is_back() -> None:
    (alice,) = await do(watch, "alice")
    incident = await do(make_incident, alice)
    away, heard = [True], list[Any]()

    async def call(work: Callable[[], Any]) -> Any:
        return None if away else await do(work)

    async def hear() -> None:
        async for message in listen(INCIDENTS_GROUP):
            heard.append(message["hosts"])

    hearing, news = asyncio.create_task(hear()), News(call)
    news._note_told(Delivery(incident=incident))
    await news.deliver({})
    away.clear()
    await news.deliver({})
    async with asyncio.timeout(30):
        while not heard:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    hearing.cancel()
    await asyncio.wait([hearing])
    assert heard == [[alice.pk]]


def follow(host: Host, dues: range, status: Status) -> Watched:
    """A host of which these packets (seconds since 1970) were answered, or not, since it was up."""
    watched = Watched(host)
    watched.resume(Health(State.UP), 0, Why(), [])
    for index, due in enumerate(dues):
        rtt = 900 if status is Status.REPLY else None
        watched.judge(Reply(index, status, due * SECOND_US, rtt), due * SECOND_US)
    return watched


def hold(parent: Watched, child: Watched, now: int) -> frozenset[int]:
    return read_weather({watched.id: watched for watched in (parent, child)}, now * SECOND_US).held


@pytest.mark.django_db
def test_news_waits_for_the_next_packet_of_the_host_that_it_is_reached_through() -> None:
    gateway, alice = new_host("gateway", interval=60.0), new_host("alice")
    Host.objects.filter(pk=alice.pk).update(parent=gateway)
    alice.refresh_from_db()
    child = follow(alice, range(100, 110), Status.TIMEOUT)
    assert child.state is State.DOWN
    quiet = follow(gateway, range(40, 41), Status.REPLY)
    assert hold(quiet, child, 110) == {alice.pk}, "its packet at 100 is not heard of yet"
    assert hold(quiet, child, 100 + 2 * 60 + 2 + 4 * 60 + 2) == frozenset(), "it is waited for, not for ever"
    assert hold(follow(gateway, range(40, 161, 60), Status.REPLY), child, 170) == frozenset(), "it answers since"
    assert hold(follow(gateway, range(100, 161, 60), Status.TIMEOUT), child, 170) == {alice.pk}, "it looks down"
    down = follow(gateway, range(100, 500, 60), Status.TIMEOUT)
    assert down.state is State.DOWN
    assert hold(down, child, 400) == frozenset(), "what is behind it is told of no more"
    quiet.host.paused = True
    assert hold(quiet, child, 110) == frozenset(), "nobody asks it"


@pytest.mark.django_db
def test_news_that_is_held_is_planned_later() -> None:
    make_channel("json://x")
    (host,) = watch("alice")
    incident = make_incident(host)
    assert plan(incident.began_at, storm=False, held={host.pk}) == 0
    assert plan(incident.began_at, storm=False) == 1


@pytest.mark.django_db
def test_how_long_news_may_take_follows_from_the_hosts_that_answer() -> None:
    now = time.time_ns() // SECOND_US // 1000
    quick, slow = new_host("quick", timeout=0.5), new_host("slow", timeout=30.0)
    hosts = {host.pk: follow(host, range(now - 9, now), Status.REPLY) for host in (quick, slow)}
    assert 36 <= read_weather(hosts, now * SECOND_US).patience <= 45
    assert read_weather({quick.pk: hosts[quick.pk]}, now * SECOND_US).patience < 15
    assert read_weather(hosts, (now + 3600) * SECOND_US).patience == 0, "nobody answers"
