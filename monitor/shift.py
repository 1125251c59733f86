"""A shift of a watcher: every host is asked at its time, from when the lease is taken until it is lost."""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from itertools import islice
from types import MethodType
from typing import Any

from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from monitor.board import TICK_SECONDS, Board
from monitor.health import State
from monitor.live import listen, publish
from monitor.lookups import Lookups
from monitor.minutes import Keeper
from monitor.names import Names
from monitor.news import News
from monitor.notes import Notes
from monitor.packing import Code
from monitor.ping.desk import Engine
from monitor.ping.reply import Reply
from monitor.resumption import PORTION, resume
from monitor.rollup import Progress, rebuild_all, tidy_history, work_off
from monitor.roster import Roster
from monitor.rulings import Rulings
from monitor.slumber import Slumber
from monitor.standing import Noticed
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
# How far long work is, is told more often.
WORK_TICKS = 4
# Who looks says so every two seconds; silence ends it.
LOOK_SECONDS = 5.0
MOST_FAST = 50
TIDY_SECONDS = 600.0
# Slots of all hosts that a sleep of the machine is told by; more would keep those who are awake waiting.
MOST_ASLEEP = 100_000

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
        self._keeper = keeper
        self._roster = Roster()
        self._notes = Notes()
        self._rulings = Rulings()
        self._news = News(call)
        self._lookups = Lookups(names, self._move)
        self._coming: dict[int, Watched] = {}
        self._awake = asyncio.Event()
        self._board = Board()
        self._slumber = Slumber()
        self._replies: deque[tuple[Watched, Reply]] = deque()
        self._arrived = asyncio.Event()
        self._delays: deque[int] = deque(maxlen=10_000)
        self._work: Progress | None = None
        self._to_rebuild: asyncio.Queue[list[int]] = asyncio.Queue()

    async def work(self) -> None:
        """Watch until the lease is lost or something fails, which is raised."""
        works = [self._live, self._beat, self._tick, self._hear, self._tidy, self._news.tell]
        tasks = [asyncio.create_task(work(), name=f"watch{work.__name__}") for work in works]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for watched in self.watched.values():
                watched.stop()
            self._lookups.stop()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def finish(self) -> None:
        """Write what waits: for those who go while the lease is theirs."""
        await self._keeper.flush()
        await self._call(self._notes.write)
        await self._news.finish()

    async def _live(self) -> None:
        """The life of a ping: probe → keep → judge → record → publish; the beat delivers what was recorded."""
        async for watched, reply in self._probe():
            due = watched.date(reply)
            self._keeper.add(watched.id, reply, due, watched.find_pace(reply))
            if noticed := watched.judge(reply, due):
                self._record(watched, noticed)
            await self._publish(watched, reply)

    async def _probe(self) -> AsyncIterator[tuple[Watched, Reply]]:
        """What comes of the echoes that the engine sends, as it becomes known."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._replies:
                yield self._replies.popleft()

    def _record(self, watched: Watched, noticed: list[Noticed]) -> None:
        """Have written down how a host is from now on; the name of one that is down may have another address by now."""
        if not noticed:
            return
        self._news.put(watched, noticed)
        if watched.state is State.DOWN:
            watched.look_up_at = min(watched.look_up_at, time.monotonic())
        self._board.mark(watched)
        self._awake.set()

    async def _publish(self, watched: Watched, reply: Reply) -> None:
        """Show it: on the board with the next tick, and at once to those who look at this host."""
        self._delays.append(reply.delay_us)
        self._board.mark(watched)
        if watched.looked_until > time.monotonic():
            watched.lines += 1
            text = line_json(watched.id, watched.lines, reply)
            await publish(lines_group(watched.id), {"type": "host.line", "text": text})

    async def _beat(self) -> None:
        """Twice a second, and at once when something was noticed: is the lease ours, is all written and told, are the
        hosts the same. Ends when the lease is lost: a process that slept must not write over what its successor has
        written."""
        while await self._hold():
            started = time.monotonic()
            self._awake.clear()
            self._note_sleep()
            self._engine = self._find_engine()
            await self._keeper.flush()
            await self._call(self._notes.write)
            await self._news.deliver(self.watched)
            await self._look_at_hosts()
            self._lookups.begin(self.watched.values())
            self._note_blind()
            await self._rest(started)
        log.warning("another process watches now")

    def _note_sleep(self) -> None:
        """Where the machine slept, nothing was measured, and this says why."""
        if span := self._slumber.look():
            for watched in self.watched.values():
                dues, step = watched.sleep(span, MOST_ASLEEP // len(self.watched))
                for due in dues:
                    self._keeper.add_value(watched.id, Code.ASLEEP, due, step / 1_000_000)

    async def _rest(self, started: float) -> None:
        await asyncio.sleep(BEAT_SECONDS / 10)
        try:
            async with asyncio.timeout(max(0, started + BEAT_SECONDS - time.monotonic())):
                await self._awake.wait()
        except TimeoutError:
            pass

    async def _look_at_hosts(self) -> None:
        """Take in hosts that were added or changed, let go of those that are gone, and go on with those that were
        watched before."""
        hosts, gone = await self._call(self._roster.look) or ((), ())
        for pk in gone:
            self.watched.pop(pk).stop()
            self._coming.pop(pk, None)
            self._board.drop(pk)
        for host in hosts:
            if (watched := self.watched.get(host.pk)) is None:
                watched = self.watched[host.pk] = self._coming[host.pk] = Watched(host)
            self._record(watched, watched.renew(host))
            self._board.announce(watched)
            self._steer(watched)
        await self._call(self._rulings.look)
        await self._resume()
        await self._learn()
        self._settle()

    async def _resume(self) -> None:
        """Go on with some of the hosts that are new here, from how they were when they were last watched."""
        some = list(islice(self._coming.values(), PORTION))
        if not some:
            return
        found = await self._call(partial(resume, [watched.host for watched in some], self._rulings)) or {}
        for watched in some if found else ():
            self._rulings.apply(watched)
            self._record(watched, watched.resume(*found[watched.id]))
            self._coming.pop(watched.id, None)
            self._board.mark(watched)
        if found and self._coming:
            self._awake.set()

    async def _learn(self) -> None:
        """Read what is usual for some hosts, first of all for those that are bad."""
        hosts = sorted(self.watched, key=lambda host: not self.watched[host].standing.bad)
        for host in await self._call(partial(self._rulings.learn, hosts)) or ():
            if watched := self.watched.get(host):
                self._rulings.apply(watched)

    def _settle(self) -> None:
        """Have maintenance begin and end, and judge what waits for echoes that never came."""
        now = timezone.now()
        for watched in self.watched.values():
            if watched.resumed:
                self._record(watched, self._rulings.settle(watched, now) + watched.give_up(time.time_ns() // 1000))

    def _move(self, watched: Watched) -> None:
        """A host has another address, or none."""
        self._notes.put(watched.id, address=watched.address, problem=watched.problem)
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
            watched.stop_if_mute()
            if watched.course or watched.host.paused:
                continue
            if self._engine and watched.address:
                self._steer(watched)
            elif problem := watched.problem if self._engine else NOT_PERMITTED:
                dues, noticed = watched.blind(problem)
                for due in dues:
                    self._keeper.add_value(watched.id, _code(problem), due, watched.host.interval)
                self._record(watched, noticed)
                self._board.mark(watched)

    async def _tick(self) -> None:
        """Four times a second: tell what changed on the board, and let go of what nobody looks at any more."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            ticks = WORK_TICKS if self._work else FIGURE_TICKS
            figures = self._measure() if self._board.number % ticks == 0 else None
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
            elif message["type"] == "rebuild":
                self._to_rebuild.put_nowait(message["hosts"])
            elif watched := self.watched.get(message["host"]):
                self._look(watched, faster=message["faster"])

    def _look(self, watched: Watched, *, faster: bool) -> None:
        watched.looked_until = until = time.monotonic() + LOOK_SECONDS
        if not faster or (not watched.fast and sum(each.fast for each in self.watched.values()) >= MOST_FAST):
            return
        watched.fast, watched.fast_until = True, until
        self._steer(watched)

    async def _tidy(self) -> None:
        """Roll up and prune what is due, now and then, and build again what somebody wants so: whoever watches does
        it, so that one process does."""
        steps = None
        while True:
            try:
                await work_off(steps or tidy_history(timezone.now()), self._note_work)
            except (DatabaseError, InterfaceError) as error:
                log.warning("the history was not tidied: %s", error)
            self._work, steps = None, None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TIDY_SECONDS):
                    steps = rebuild_all(await self._to_rebuild.get(), timezone.now())

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
