"""What goes wrong with telling stops nobody from watching."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from monitor.health import State
from monitor.models import Delivery, Incident
from monitor.news import News
from monitor.standing import Noticed
from monitor.watched import Watched
from tests.alerts.services import carrying, do, make_channel
from tests.watch.sites import watch

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
