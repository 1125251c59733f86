"""Where hosts are asked: names are looked up when a host is new, now and then, and sooner where something is wrong."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable

from monitor.health import State
from monitor.models import Host
from monitor.names import Names, is_address
from monitor.ping.host import BadHost
from monitor.watched import Watched

log = logging.getLogger(__name__)

# A name is looked up again so often; and so often while it cannot be found, or its host is down.
FRESH_SECONDS = 300.0
RETRY_SECONDS = 10.0
# The name service may be away: what a name was last resolved to is asked on.
TRANSIENT = {"name_timeout", "unknown_host"}


class Lookups:
    """Looks up the names of hosts; `moved` is called with each that has another address or problem than before."""

    def __init__(self, names: Names, moved: Callable[[Watched], None]) -> None:
        self._names = names
        self._moved = moved
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, hosts: Iterable[Watched]) -> None:
        """Look up those that are due."""
        now = time.monotonic()
        for watched in hosts:
            if watched.look_up_at <= now and not watched.host.paused:
                watched.look_up_at = now + FRESH_SECONDS
                task = asyncio.create_task(self._look_up(watched, watched.host))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        """Let go of what is under way."""
        for task in self._tasks:
            task.cancel()

    async def _look_up(self, watched: Watched, host: Host) -> None:
        """Resolve the name of a host. Another address than before is an event, and no address a problem."""
        try:
            address: str | None = await self._names.find(host.host, host.family)
            problem = ""
        except BadHost as bad:
            address, problem = watched.address if bad.code in TRANSIENT else None, bad.code
        if (host.host, host.family) != (watched.host.host, watched.host.family):
            return
        if (problem or watched.health.state is State.DOWN) and not is_address(host.host):
            watched.look_up_at = time.monotonic() + RETRY_SECONDS
        if (address, problem) == (watched.address, watched.problem) and watched.course:
            return
        if watched.address and address != watched.address:
            log.info("%s is asked at %s, before at %s", host.slug, address, watched.address)
        watched.address, watched.problem = address, problem if address is None else ""
        self._moved(watched)
