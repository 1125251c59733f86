"""Engines that do as they are told; everything else in these tests is real."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from monitor.ping.permission import PingForbidden
from monitor.ping.reply import Reply, Status
from monitor.ping.target import Target


class ScriptedEngine:
    """Answers each echo after `delay` seconds with the status that the script has for its index, REPLY by default."""

    name = "scripted"
    why = "the test says so"

    def __init__(self, script: dict[int, Status] | None = None, delay: float = 0.001) -> None:
        self.script = script or {}
        self.delay = delay
        self.asked: list[tuple[str, int]] = []
        self.closed = False

    async def stream(
        self, targets: Iterable[Target], *, interval: float = 1.0, count: int | None = None
    ) -> AsyncIterator[tuple[Target, Reply]]:
        """Each reply as soon as the script has it, which may be before that of an earlier echo."""
        (target,), replies = targets, asyncio.Queue[Reply]()
        loop = asyncio.get_running_loop()
        timers = [
            loop.call_later(index * interval, self._ask, target, index, replies, loop) for index in range(count or 0)
        ]
        try:
            for _ in timers:
                yield target, await replies.get()
        finally:
            for timer in timers:
                timer.cancel()

    def _ask(self, target: Target, index: int, replies: asyncio.Queue[Reply], loop: asyncio.AbstractEventLoop) -> None:
        self.asked.append((target.address, index))
        status = self.script.get(index, Status.REPLY)
        answer = {"rtt_us": 1000 * (index + 1), "ttl": 64, "source": target.address, "size": 64}
        reply = Reply(index, status, time.time_ns() // 1000, **(answer if status is Status.REPLY else {}))
        loop.call_later(target.options.timeout if status is Status.TIMEOUT else self.delay, replies.put_nowait, reply)

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True


class LateEngine(ScriptedEngine):
    """Hears the answer to each echo after it has given it up."""

    async def stream(self, targets: Iterable[Target], **options: Any) -> AsyncIterator[tuple[Target, Reply]]:
        """Each timeout, and then the note of the answer."""
        async for target, reply in super().stream(targets, **options):
            yield target, reply
            if reply.status is Status.TIMEOUT:
                answer = {"rtt_us": 300_000, "ttl": 64, "source": target.address, "size": 64}
                yield target, Reply(reply.index, Status.LATE, reply.sent_at, **answer)


class HesitantEngine(ScriptedEngine):
    """Keeps each reply to itself until it is allowed to tell it."""

    def __init__(self) -> None:
        super().__init__()
        self.allowed = asyncio.Semaphore(0)

    async def stream(self, targets: Iterable[Target], **options: Any) -> AsyncIterator[tuple[Target, Reply]]:
        """Each reply when it is allowed."""
        async for target, reply in super().stream(targets, **options):
            await self.allowed.acquire()
            yield target, reply


class BrokenEngine(ScriptedEngine):
    """Raises what an engine never should, after the second reply."""

    async def stream(self, targets: Iterable[Target], **options: Any) -> AsyncIterator[tuple[Target, Reply]]:
        """Fail where there is a second reply."""
        async for target, reply in super().stream(targets, **options):
            yield target, reply
            if reply.index == 1:
                raise RuntimeError("the engine broke")


def opening(engine: ScriptedEngine) -> Callable[..., ScriptedEngine]:
    """What `Runs` calls to open its engine."""
    return lambda executor, prefer=None: engine


def forbid(executor: Any, prefer: str | None = None) -> ScriptedEngine:
    """A machine that permits nothing."""
    raise PingForbidden("Nothing is permitted here.", "sysctl -w net.ipv4.ping_group_range='0 2147483647'")
