"""A shift of a watcher: every host is asked at its time, from when the lease is taken until it is lost."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from types import MethodType
from typing import Any

from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from monitor.board import TICK_SECONDS, Board
from monitor.health import Change, State
from monitor.live import listen, publish
from monitor.minutes import Keeper
from monitor.models import Host
from monitor.names import Names, is_address
from monitor.notes import Notes
from monitor.packing import Code
from monitor.ping.engine import Engine
from monitor.ping.host import BadHost
from monitor.ping.reply import Reply
from monitor.rollup import Progress, tidy_history, work_off
from monitor.roster import Roster
from monitor.watched import Watched
from monitor.wire_watch import (
    BOARD_GROUP,
    NOT_PERMITTED,
    STATE_GROUP,
    WATCHER_GROUP,
    Figures,
    line_json,
    lines_group,
)

log = logging.getLogger(__name__)

BEAT_SECONDS = 0.5
FIGURE_TICKS = 20
# A name is looked up again so often; and so often while it cannot be found, or its host is down.
FRESH_SECONDS = 300.0
RETRY_SECONDS = 10.0
# Who looks says so every two seconds; silence ends it.
LOOK_SECONDS = 5.0
MOST_FAST = 50
TIDY_SECONDS = 600.0
# The name service may be away: what a name was last resolved to is asked on.
TRANSIENT = {"name_timeout", "unknown_host"}

Call = Callable[..., Awaitable[Any]]


class Shift:
    """Watches all hosts. `call` awaits what blocks on the database, and returns None where that is away; `hold` says
    whether the lease is still ours, and `engine` which way this machine may ping, None where none."""

    def __init__(
        self, *, call: Call, hold: Call, engine: Callable[[], Engine | None], names: Names, keeper: Keeper
    ) -> None:
        self.watched: dict[int, Watched] = {}
        self._call = call
        self._hold = hold
        self._find_engine = engine
        self._engine: Engine | None = None
        self._names = names
        self._keeper = keeper
        self._roster = Roster()
        self._notes = Notes()
        self._board = Board()
        self._replies: deque[tuple[Watched, Reply]] = deque()
        self._arrived = asyncio.Event()
        self._delays: deque[int] = deque(maxlen=10_000)
        self._work: Progress | None = None
        self._looking_up: set[asyncio.Task[None]] = set()

    async def work(self) -> None:
        """Watch until the lease is lost or something fails, which is raised."""
        works = [self._live, self._beat, self._tick, self._hear, self._tidy]
        tasks = [asyncio.create_task(work(), name=f"watch{work.__name__}") for work in works]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for watched in self.watched.values():
                watched.stop()
            for task in (*tasks, *self._looking_up):
                task.cancel()
            await asyncio.wait(tasks)

    async def finish(self) -> None:
        """Write what waits: for those who go while the lease is theirs."""
        await self._keeper.flush()
        await self._call(self._notes.write)

    async def _live(self) -> None:
        """The life of a ping: probe → keep → judge → record → publish."""
        async for watched, reply in self._probe():
            due = watched.date(reply)
            self._keeper.add(watched.id, reply, due, watched.interval)
            change = watched.judge(reply, due)
            self._record(watched, change)
            await self._publish(watched, reply)

    async def _probe(self) -> AsyncIterator[tuple[Watched, Reply]]:
        """What comes of the echoes that the engine sends, as it becomes known."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._replies:
                yield self._replies.popleft()

    def _record(self, watched: Watched, change: Change | None) -> None:
        """Write down how a host is from now on; the name of one that is down may have another address by now."""
        if change is None:
            return
        level = logging.DEBUG if change.before is State.STARTING else logging.INFO
        log.log(level, "%s is %s, was %s", watched.host.slug, change.after, change.before)
        self._notes.put(watched.id, state=watched.host.state, state_since=watched.host.state_since)
        if change.after is State.DOWN:
            watched.look_up_at = min(watched.look_up_at, time.monotonic())

    async def _publish(self, watched: Watched, reply: Reply) -> None:
        """Show it: on the board with the next tick, and at once to those who look at this host."""
        self._delays.append(reply.delay_us)
        self._board.mark(watched)
        if watched.looked_until > time.monotonic():
            watched.lines += 1
            text = line_json(watched.id, watched.lines, reply)
            await publish(lines_group(watched.id), {"type": "host.line", "text": text})

    async def _beat(self) -> None:
        """Twice a second: is the lease ours, is all written, are the hosts the same. Ends when the lease is lost: a
        process that slept must not write over what its successor has written."""
        while await self._hold():
            started = time.monotonic()
            self._engine = self._find_engine()
            await self._keeper.flush()
            await self._call(self._notes.write)
            await self._look_at_hosts()
            self._look_up_names()
            self._note_blind()
            await asyncio.sleep(max(BEAT_SECONDS / 10, started + BEAT_SECONDS - time.monotonic()))
        log.warning("another process watches now")

    async def _look_at_hosts(self) -> None:
        """Take in hosts that were added or changed, and let go of those that are gone."""
        hosts, gone = await self._call(self._roster.look) or ((), ())
        for pk in gone:
            self.watched.pop(pk).stop()
            self._board.drop(pk)
        for host in hosts:
            watched = self.watched.setdefault(host.pk, Watched(host))
            self._record(watched, watched.renew(host))
            self._board.announce(watched)
            self._steer(watched)

    def _look_up_names(self) -> None:
        now = time.monotonic()
        for watched in self.watched.values():
            if watched.look_up_at <= now and not watched.host.paused:
                watched.look_up_at = now + FRESH_SECONDS
                task = asyncio.create_task(self._look_up(watched, watched.host))
                self._looking_up.add(task)
                task.add_done_callback(self._looking_up.discard)

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
        self._notes.put(watched.id, address=address, problem=watched.problem)
        self._board.announce(watched)
        self._steer(watched)

    def _steer(self, watched: Watched) -> None:
        """Have a host asked as it is to be asked from now on."""
        if self._engine is None:
            return
        # A partial would take three times the memory.
        course = watched.set_course(MethodType(self._deliver, watched), asyncio.get_running_loop())
        if course:
            self._engine.follow([course])

    def _deliver(self, watched: Watched, reply: Reply) -> None:
        self._replies.append((watched, reply))
        self._arrived.set()

    def _note_blind(self) -> None:
        """Hosts that cannot be asked are not measured, and this says why; where the engine has come, it asks them."""
        for watched in self.watched.values():
            if watched.course or watched.host.paused:
                continue
            if self._engine and watched.address:
                self._steer(watched)
            elif problem := watched.problem if self._engine else NOT_PERMITTED:
                dues, change = watched.blind(problem)
                for due in dues:
                    self._keeper.add_value(watched.id, _code(problem), due, watched.host.interval)
                self._record(watched, change)
                self._board.mark(watched)

    async def _tick(self) -> None:
        """Four times a second: tell what changed on the board, and let go of what nobody looks at any more."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            figures = self._measure() if self._board.number % FIGURE_TICKS == 0 else None
            if message := self._board.tick(figures):
                await publish(BOARD_GROUP, message)
            for watched in self.watched.values():
                if watched.fast and watched.fast_until < time.monotonic():
                    watched.fast = False
                    self._steer(watched)

    async def _hear(self) -> None:
        """Do what pages wish: ask a host faster while they look, tell a process that comes the whole board."""
        async for message in listen(WATCHER_GROUP):
            if message["type"] == "ask":
                await publish(STATE_GROUP, self._board.state(self._measure()))
            elif watched := self.watched.get(message["host"]):
                self._look(watched, faster=message["faster"])

    def _look(self, watched: Watched, *, faster: bool) -> None:
        watched.looked_until = until = time.monotonic() + LOOK_SECONDS
        if not faster or (not watched.fast and sum(each.fast for each in self.watched.values()) >= MOST_FAST):
            return
        watched.fast, watched.fast_until = True, until
        self._steer(watched)

    async def _tidy(self) -> None:
        """Roll up and prune what is due, now and then: whoever watches does it, so that one process does."""
        while True:
            try:
                await work_off(tidy_history(timezone.now()), self._note_work)
            except (DatabaseError, InterfaceError) as error:
                log.warning("the history was not tidied: %s", error)
            self._work = None
            await asyncio.sleep(TIDY_SECONDS)

    def _note_work(self, progress: Progress) -> None:
        self._work = progress

    def _measure(self) -> Figures:
        """How well the watching itself goes."""
        delays = sorted(self._delays)
        late = delays[len(delays) * 99 // 100] if delays else None
        return {
            "hosts": len(self.watched),
            "late_us": late,
            "waiting": self._keeper.waiting,
            "dropped": self._keeper.dropped,
            "work": self._work,
        }


def _code(problem: str) -> int:
    return Code.FORBIDDEN if problem == NOT_PERMITTED else Code.NO_NAME
