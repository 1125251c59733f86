"""The life of a run: resolve → begin → (echo → keep → publish)* → finish → publish."""

import asyncio
import contextlib
import logging
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.utils import timezone

from monitor.forms import Order
from monitor.history import BATCH_SECONDS, Found, Writer, find_run, mark_resumed, was_resumed
from monitor.limits import Limits
from monitor.live import listen, publish
from monitor.models import Outcome, Run
from monitor.ping.choice import open_engine
from monitor.ping.desk import Engine
from monitor.ping.host import BadHost, check_addresses, is_address, resolve
from monitor.ping.permission import PingForbidden
from monitor.ping.reply import Reply
from monitor.ping.summary import summarise
from monitor.ping.target import Target
from monitor.visitors import Visitor
from monitor.wire import RUN_EVENT, STOP_GROUP, Refusal, finished_json, server_json, started_json

log = logging.getLogger(__name__)

RESOLVE_SECONDS = 3.0
RESOLVERS = 64
# Look-ups of one client under way at once: a name server that never answers must not keep the others from theirs.
LOOKUPS = 4
CLOSE_SECONDS = 5.0
FILE_SECONDS = 1.0


@dataclass(slots=True)
class Active:
    """A run that this process is at: its row, the replies and notes so far, the task, and how it ends if cut short."""

    run: Run
    replies: list[Reply] = field(default_factory=list)
    notes: list[Reply] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    ending: Outcome = Outcome.INTERRUPTED
    # Sockets of its client that own it: the one that asked, and those that came back since one was lost.
    owners: int = 1
    left: bool = False
    over: bool = False

    def end(self, outcome: Outcome) -> None:
        """Cut the run short, unless it is telling its end already."""
        if self.over:
            return
        self.ending = outcome
        if self.task:
            self.task.cancel()


class Runs:
    """The runs of this process. Made anywhere; threads and sockets come with the first run, in the running loop."""

    def __init__(
        self,
        *,
        open_engine: Callable[..., Engine] = open_engine,
        resolve: Callable[[str, str], list[str]] = resolve,
        limits: Limits | None = None,
        grace: float | None = None,
    ) -> None:
        self._open_engine = open_engine
        self._resolve = resolve
        self._limits = limits or Limits.from_settings()
        self._grace = settings.PINGSITE_RESUME_SECONDS if grace is None else grace
        self._engine: Engine | None = None
        self._writer: Writer | None = None
        self._pingers = ThreadPoolExecutor(settings.PINGSITE_THREADS, "ping")
        # Not the loop's own executor: six threads here, shared with everything that blocks.
        self._resolvers = ThreadPoolExecutor(RESOLVERS, "resolve")
        self._active: dict[uuid.UUID, Active] = {}
        self._asking: Counter[str] = Counter()
        self._tended: set[asyncio.Task[None]] = set()
        self._obeying: asyncio.Task[None] | None = None

    async def carry_out(self, identity: uuid.UUID, order: Order, visitor: Visitor, group: str) -> None:
        """Do what is ordered, telling `group` of every step; `Refusal` where it may not begin."""
        await self._ping(await self._begin(identity, order, visitor, group))

    async def launch(self, identity: uuid.UUID, order: Order, visitor: Visitor, group: str) -> None:
        """Begin what is ordered and leave it to itself: for those who have no socket."""
        active = await self._begin(identity, order, visitor, group)
        active.task = asyncio.create_task(self._ping(active))

    async def _ping(self, active: Active) -> None:
        run = active.run
        active.task = asyncio.current_task()
        try:
            await self._tell(run, -1, started_json(run))
            async with contextlib.aclosing(send_pings(self.engine, run)) as replies:
                async for reply in replies:
                    await self._take(active, reply)
            active.ending = Outcome.FINISHED
        except asyncio.CancelledError:
            pass  # stop, leave or close has said in `ending` what this means
        except Exception:  # whatever it is, the person is told that the run failed, and the log has the rest
            log.exception("run %s failed", run.id)
            active.ending = Outcome.FAILED
        finally:
            await self._finish(active)

    def stop(self, identity: uuid.UUID) -> bool:
        """End a run because the person says so. Whether there is such a run."""
        if active := self._active.get(identity):
            active.end(Outcome.STOPPED)
        return active is not None

    async def stop_elsewhere(self, identity: uuid.UUID, client: str) -> None:
        """Ask whichever process is at a run to end it, for the client whose socket to that process broke."""
        await publish(STOP_GROUP, {"type": "stop", "run": str(identity), "client": client})

    def leave(self, identity: uuid.UUID) -> bool:
        """The socket of a run is gone: it goes on for a while, so that a broken connection loses nothing. Whether
        there is such a run."""
        active = self._active.get(identity)
        if active is None:
            return False
        active.owners -= 1
        active.left = True
        if active.owners <= 0:
            self._tend(self._wait_for_return(active))
        return True

    def adopt(self, identity: uuid.UUID, client: str) -> asyncio.Task[None] | None:
        """The task of a run whose socket is gone, for the same client's new socket to own; None where there is none."""
        active = self._active.get(identity)
        if active is None or not active.left or active.run.client != client:
            return None
        active.owners += 1
        return active.task

    async def find(self, identity: uuid.UUID) -> Found | None:
        """A run and its replies so far, whether this process is at it or it is history."""
        if active := self._active.get(identity):
            return active.run, list(active.replies)
        return await find_run(identity)

    async def resume(self, identity: uuid.UUID) -> Found | None:
        """The same for somebody who comes back, which keeps the run going."""
        await mark_resumed(identity)
        if identity not in self._active:
            # Another process is at it, and what it has told its group by now will be on disk by then.
            await asyncio.sleep(2 * BATCH_SECONDS)
        return await self.find(identity)

    async def close(self) -> None:
        """End every run as interrupted, write what waits, let go of threads and sockets. It never raises."""
        for active in self._active.values():
            active.end(Outcome.INTERRUPTED)
        if going := [active.task for active in self._active.values() if active.task]:
            await asyncio.wait(going, timeout=CLOSE_SECONDS)
        writer, self._writer = self._writer, None
        if writer:
            await writer.close()
        for task in self._tended:
            task.cancel()
        if self._engine:
            self._engine.close()
        for executor in (self._pingers, self._resolvers):
            executor.shutdown(wait=False, cancel_futures=True)

    @property
    def engine(self) -> Engine:
        """The way this machine may ping; `Refusal` with the cure where it may not."""
        if self._engine is None:
            prefer = None if settings.PINGSITE_ENGINE == "auto" else settings.PINGSITE_ENGINE
            try:
                self._engine = self._open_engine(self._pingers, prefer=prefer)
            except PingForbidden as forbidden:
                log.error("%s %s", forbidden, forbidden.cure)
                raise Refusal("not_permitted", f"{forbidden} {forbidden.cure}") from None
        return self._engine

    @property
    def writer(self) -> Writer:
        """The one that keeps what this process measures."""
        if self._writer is None:
            self._writer = Writer(self._limits.admit)
        return self._writer

    async def _begin(self, identity: uuid.UUID, order: Order, visitor: Visitor, group: str) -> Active:
        engine = self.engine
        run = Run(
            id=identity,
            host=order.host,
            address=await self._find_address(order, visitor),
            count=order.count,
            interval=order.interval,
            timeout=order.timeout,
            family=order.family,
            engine=engine.name,
            client=visitor.client,
            group=group,
        )
        run.set_start(timezone.now())
        if self._obeying is None:
            self._obeying = self._tend(self._obey())
        await self.writer.begin(run)
        active = self._active[identity] = Active(run)
        return active

    async def _find_address(self, order: Order, visitor: Visitor) -> str:
        """The numeric address to ping. Everything after this handles the number: a name may change its mind."""
        try:
            if is_address(order.host):
                return check_addresses(resolve(order.host, order.family), visitor.policy)
            async with asyncio.timeout(RESOLVE_SECONDS):
                return check_addresses(await self._look_up(order, visitor.client), visitor.policy)
        except TimeoutError:
            sentence = f"The name service did not answer for {order.host}."
            raise Refusal("name_timeout", sentence, host=order.host) from None
        except BadHost as bad:
            raise Refusal(bad.code, str(bad), reason=bad.reason, host=order.host) from None

    async def _look_up(self, order: Order, client: str) -> list[str]:
        """The addresses of a name. What is counted is the thread's work: it goes on when its caller has given up."""
        if self._asking[client] >= LOOKUPS:
            raise Refusal("too_fast", "Too many pings. Try again in 3 s.", retry_after=3)
        loop = asyncio.get_running_loop()
        self._asking[client] += 1
        asked = self._resolvers.submit(self._resolve, order.host, order.family)
        asked.add_done_callback(lambda _: loop.call_soon_threadsafe(self._asked, client))
        return await asyncio.wrap_future(asked)

    def _asked(self, client: str) -> None:
        self._asking[client] -= 1
        if not self._asking[client]:
            del self._asking[client]

    async def _take(self, active: Active, reply: Reply) -> None:
        if reply.note:
            active.notes.append(reply)
            return
        active.replies.append(reply)
        self.writer.keep(active.run, reply)
        await self._tell(active.run, reply.index, server_json(active.run, reply))

    async def _finish(self, active: Active) -> None:
        run, active.over = active.run, True
        run.outcome = active.ending
        run.finished_at = timezone.now()
        run.set_summary(summarise(active.replies + active.notes))
        # Whoever comes back finds the run in memory until it is on disk. To hear of its end means that it is, unless
        # the database is away; and five hundred ends told at once would hold up the last lines of the others.
        written = self.writer.finish(run)
        written.add_done_callback(lambda _: self._active.pop(run.id, None))
        await asyncio.wait([written], timeout=FILE_SECONDS)
        await self._tell(run, run.count, finished_json(run))

    def _tend(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Let work go on beside its caller; the event loop alone would hold it too weakly to live."""
        task = asyncio.create_task(work)
        self._tended.add(task)
        task.add_done_callback(self._tended.discard)
        return task

    async def _obey(self) -> None:
        """End the runs whose clients say so through another process."""
        async for message in listen(STOP_GROUP):
            active = self._active.get(uuid.UUID(message["run"]))
            if active and active.left and active.run.client == message["client"]:
                active.end(Outcome.STOPPED)

    async def _tell(self, run: Run, index: int, text: str) -> None:
        await publish(run.group, {"type": RUN_EVENT, "run": str(run.id), "index": index, "text": text})

    async def _wait_for_return(self, active: Active) -> None:
        left = timezone.now()
        await asyncio.sleep(self._grace)
        if active.owners <= 0 and not await was_resumed(active.run.id, left):
            active.end(Outcome.STOPPED)


async def send_pings(engine: Engine, run: Run) -> AsyncGenerator[Reply, None]:
    """Send the echoes of a run, several under way where the interval is shorter than the timeout. Yields their replies
    in the order sent, so that the last one heard says what is missing, and notes as they come."""
    waiting: dict[int, Reply] = {}
    turn = 0
    target = Target(run.address, timeout=run.timeout)
    async for _, reply in engine.stream([target], interval=run.interval, count=run.count):
        if reply.note:
            yield reply
            continue
        waiting[reply.index] = reply
        while turn in waiting:
            yield waiting.pop(turn)
            turn += 1
    for index in sorted(waiting):
        yield waiting[index]
