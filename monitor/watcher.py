"""The watcher: waits for the lease, and works a shift whenever it has it."""

import asyncio
import logging
import os
import socket
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from monitor.lease import WATCHING, Claim
from monitor.minutes import Keeper, disconnect
from monitor.names import Names, Resolve
from monitor.ping.choice import open_engine
from monitor.ping.desk import Engine
from monitor.ping.host import resolve
from monitor.ping.permission import PingForbidden
from monitor.shift import BEAT_SECONDS, Shift

log = logging.getLogger(__name__)

# Where the machine does not permit pings, it is asked again so often.
FORBIDDEN_SECONDS = 10.0
CLOSE_SECONDS = 5.0

Answer = TypeVar("Answer")


class Watcher:
    """Watches all hosts while no other process does. Made anywhere; what it needs comes with `run`, in its loop."""

    def __init__(
        self,
        *,
        open_engine: Callable[..., Engine] = open_engine,
        resolve: Resolve = resolve,
        make_keeper: Callable[[], Keeper] = Keeper,
    ) -> None:
        self.shift: Shift | None = None
        self._open_engine = open_engine
        self._resolve = resolve
        self._make_keeper = make_keeper
        self._claim = Claim(WATCHING, f"{socket.gethostname()[:24]}:{os.getpid()}:{uuid.uuid4().hex[:8]}")
        self._engine: Engine | None = None
        self._forbidden_until = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Run in a task of the running loop."""
        self._task = asyncio.create_task(self.run(), name="watcher")

    async def close(self) -> None:
        """End that task, for a few seconds at most: what waits is written and the lease given back."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=CLOSE_SECONDS)

    async def run(self) -> None:
        """Work whenever the lease is to be had, until cancelled; a shift that fails is logged, and another begins."""
        self._thread = ThreadPoolExecutor(1, "watcher")
        self._pingers = ThreadPoolExecutor(settings.PINGSITE_THREADS, "watch")
        try:
            while True:
                if await self._call(self._claim.hold):
                    await self._work()
                await asyncio.sleep(BEAT_SECONDS)
        finally:
            self._thread.submit(disconnect)
            for executor in (self._thread, self._pingers):
                executor.shutdown(wait=False, cancel_futures=executor is self._pingers)

    async def _work(self) -> None:
        """One shift, from the lease taken to the lease lost or given back."""
        log.info("watching as %s", self._claim.holder)
        names, keeper = Names(self._resolve), self._make_keeper()
        self.shift = Shift(call=self._call, hold=self._hold, engine=self._find_engine, names=names, keeper=keeper)
        try:
            await self.shift.work()
        except Exception:  # whatever it is, the hosts are to be watched
            log.exception("watching failed, and begins again")
        finally:
            if self._engine:
                self._engine.close()
            self._engine = None
            names.close()
            await self._hand_over(self.shift, keeper)

    async def _hand_over(self, shift: Shift, keeper: Keeper) -> None:
        """Write what waits and give the lease back, if it is still ours; what is not may no longer be written."""
        if ours := bool(await self._call(self._claim.hold)):
            await shift.finish()
        await keeper.close(write=ours)
        await self._call(self._claim.release)

    async def _hold(self) -> bool:
        """Whether the lease is still ours; a database that is away gives it to nobody else either."""
        return await self._call(self._claim.hold) is not False

    async def _call(self, work: Callable[[], Answer]) -> Answer | None:
        """What blocks on the database, in the watcher's own thread: Django's is shared with every request. None where
        the database is away."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, _call_database, work)
        except (DatabaseError, InterfaceError) as error:
            log.warning("the database is away: %s", error)
            return None

    def _find_engine(self) -> Engine | None:
        """The way this machine may ping; None where it may not, and then the log has the cure."""
        if self._engine is None and self._forbidden_until <= time.monotonic():
            prefer = None if settings.PINGSITE_ENGINE == "auto" else settings.PINGSITE_ENGINE
            try:
                self._engine = self._open_engine(self._pingers, prefer=prefer)
            except PingForbidden as forbidden:
                log.error("%s %s", forbidden, forbidden.cure)
                self._forbidden_until = time.monotonic() + FORBIDDEN_SECONDS
        return self._engine


def _call_database(work: Callable[[], Answer]) -> Answer:
    try:
        return work()
    except (DatabaseError, InterfaceError):
        # A connection that failed once, as when the server restarted, fails for ever.
        connection.close()
        raise
