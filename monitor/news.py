"""What was noticed goes on record, what of it belongs together is seen, and people are told."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from django.utils import timezone

from monitor.alerts import plan
from monitor.chronicle import count_open
from monitor.courier import Courier
from monitor.health import State
from monitor.incidents import Ledger
from monitor.live import publish
from monitor.models import Delivery, Host
from monitor.network import gather, list_ancestors
from monitor.standing import SECOND_US, Noticed
from monitor.watched import Watched
from monitor.wire_watch import INCIDENTS_GROUP

log = logging.getLogger(__name__)

# A storm is that so many hosts at least, and half of all, look down at this moment.
STORM = 3
# Who answered so long ago (s), and so many intervals, counts as one that answers.
ANSWERED_SECONDS, ANSWERED_INTERVALS = 60, 10

# What is reached through a host waits so long at most for that host's packets to say whether it is down as well.
PATIENCE_SECONDS = 900.0

Call = Callable[..., Awaitable[Any]]


class Weather(NamedTuple):
    """How many hosts answered lately, how long (s) it takes at most to know that one of them is down, whether many look
    down at this moment, and the bad ones of which it is not known yet whether one is down that they are reached
    through."""

    answered: int
    patience: float
    storm: bool
    held: frozenset[int]


class News:
    """Records and tells, in that order. `call` awaits what blocks on the database, and returns None where that is
    away; until it is back what was noticed waits here."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._ledger = Ledger()
        # Incidents whose messages had an outcome that no page knows of yet.
        self._told: set[int] = set()
        self._courier = Courier(call, told=self._note_told)

    def put(self, watched: Watched, noticed: list[Noticed]) -> None:
        """Have this recorded of a host."""
        self._ledger.put(noticed)
        for each in noticed:
            level = logging.DEBUG if each.gap else logging.INFO
            log.log(level, "%s is %s %s", watched.host.slug, each.state, each.reason)

    async def deliver(self, hosts: Mapping[int, Watched]) -> None:
        """Record what waits, tell pages of it, and plan what is to be said of it and of what goes on."""
        weather = read_weather(hosts, time.time_ns() // 1000)
        if any(watched.standing.wavers and not watched.standing.bad for watched in hosts.values()):
            self._courier.expect()
        told, self._told = self._told, set()
        try:
            settled = await self._call(partial(self._settle, weather, told))
        except Exception:  # whatever it is, the hosts are to be watched
            log.exception("what was noticed is not told, and is tried again")
            settled = None
        if settled is None:
            self._told |= told
            return
        planned, message = settled
        if message:
            await publish(INCIDENTS_GROUP, message)
        if planned:
            self._courier.wake()

    async def finish(self) -> None:
        """Record what waits: for those who go while the lease is theirs."""
        await self._call(self._ledger.write)

    async def tell(self) -> None:
        """Send what is planned, until cancelled."""
        await self._courier.work()

    def _note_told(self, delivery: Delivery) -> None:
        """Pages of its incident are to show what became of a message."""
        if delivery.incident_id:
            self._told.add(delivery.incident_id)

    def _settle(self, weather: Weather, told: set[int]) -> tuple[int, dict[str, Any] | None]:
        """Record and plan; return how many messages were planned, and what pages are to be told."""
        changed = self._ledger.write()
        now = timezone.now()
        gather(now, weather.answered, weather.patience)
        planned = plan(now, storm=weather.storm, held=weather.held)
        if not (changed or told):
            return planned, None
        hosts = changed.union(Host.objects.filter(incidents__in=told).values_list("pk", flat=True))
        return planned, {"type": "incidents", "hosts": sorted(hosts), "open": count_open()}


def read_weather(hosts: Mapping[int, Watched], now: int) -> Weather:
    """How things look at a time (µs since 1970)."""
    answered, wavering, patience = 0, 0, 0.0
    for watched in hosts.values():
        long = ANSWERED_SECONDS + ANSWERED_INTERVALS * watched.host.interval
        if watched.answered + long * SECOND_US > now:
            answered += 1
            patience = max(patience, watched.patience)
            # Where a moment was not measured, those who go down are noticed in more than one wave.
            wavering += watched.standing.wavers or watched.is_silent(now)
    bad = [watched for watched in hosts.values() if watched.host.parent_id and watched.standing.bad]
    parents = {pk: watched.host.parent_id for pk, watched in hosts.items()} if bad else {}
    held = {
        watched.id
        for watched in bad
        if any(_may_explain(hosts.get(parent), watched, now) for parent in list_ancestors(watched.id, parents))
    }
    storm = wavering >= max(STORM, answered / 2)
    return Weather(answered, min(patience, PATIENCE_SECONDS), storm, frozenset(held))


def _may_explain(parent: Watched | None, watched: Watched, now: int) -> bool:
    """Whether a host that a bad one is reached through may turn out to be down since: it looks so, or was not heard of
    since then and is to be soon."""
    if parent is None or not parent.asked or parent.state is State.DOWN:
        return False
    since = watched.standing.since
    unsure = parent.standing.wavers or parent.answered < since
    return unsure and now < since + min(parent.patience, PATIENCE_SECONDS) * SECOND_US
