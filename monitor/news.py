"""What was noticed goes on record, what of it belongs together is seen, and people are told."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from django.utils import timezone

from monitor.alerts import plan
from monitor.courier import Courier
from monitor.health import State
from monitor.incidents import Ledger
from monitor.network import gather
from monitor.standing import SECOND_US, Noticed
from monitor.watched import Watched

log = logging.getLogger(__name__)

# A storm is that so many hosts at least, and half of all, look down at this moment.
STORM = 3
# Who answered so long ago (s), and so many intervals, counts as one that answers.
ANSWERED_SECONDS, ANSWERED_INTERVALS = 60, 10

Call = Callable[..., Awaitable[Any]]


class News:
    """Records and tells, in that order. `call` awaits what blocks on the database, and returns None where that is
    away; until it is back what was noticed waits here."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._ledger = Ledger()
        self._courier = Courier(call)

    def put(self, watched: Watched, noticed: list[Noticed]) -> None:
        """Have this recorded of a host."""
        self._ledger.put(noticed)
        for each in noticed:
            level = logging.DEBUG if each.gap else logging.INFO
            log.log(level, "%s is %s %s", watched.host.slug, each.state, each.reason)

    async def deliver(self, hosts: Mapping[int, Watched]) -> None:
        """Record what waits, and plan what is to be said of it and of what goes on."""
        answered, storm = read_weather(hosts)
        if any(watched.standing.wavers and not watched.standing.bad for watched in hosts.values()):
            self._courier.expect()
        try:
            planned = await self._call(partial(self._settle, answered, storm))
        except Exception:  # whatever it is, the hosts are to be watched
            log.exception("what was noticed is not told, and is tried again")
            return
        if planned:
            self._courier.wake()

    async def finish(self) -> None:
        """Record what waits: for those who go while the lease is theirs."""
        await self._call(self._ledger.write)

    async def tell(self) -> None:
        """Send what is planned, until cancelled."""
        await self._courier.work()

    def _settle(self, answered: int, storm: bool) -> int:
        self._ledger.write()
        now = timezone.now()
        gather(now, answered)
        return plan(now, storm=storm)


def read_weather(hosts: Mapping[int, Watched]) -> tuple[int, bool]:
    """How many hosts answered lately, and whether what is noticed now may have a cause that is not noticed yet: many
    look down, or one that another is reached through."""
    now, answered, wavering, behind = time.time_ns() // 1000, 0, 0, False
    for watched in hosts.values():
        long = ANSWERED_SECONDS + ANSWERED_INTERVALS * watched.host.interval
        if watched.answered + long * SECOND_US > now:
            answered += 1
            # Where a moment was not measured, those who go down are noticed in more than one wave.
            wavering += watched.standing.wavers or watched.is_silent(now)
            behind = behind or _is_behind(watched, hosts)
    return answered, behind or wavering >= max(STORM, answered / 2)


def _is_behind(watched: Watched, hosts: Mapping[int, Watched]) -> bool:
    """Whether a bad host is reached through one that looks down and is not known to be."""
    parent = hosts.get(watched.host.parent_id) if watched.host.parent_id and watched.standing.bad else None
    return parent is not None and parent.standing.wavers and parent.state is not State.DOWN
