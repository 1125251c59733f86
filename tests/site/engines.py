"""Engines that do as they are told; everything else in these tests is real."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from monitor.ping.permission import PingForbidden
from monitor.ping.reply import Reply, Status


class ScriptedEngine:
    """Answers each echo after `delay` seconds with the status that the script has for its index, REPLY by default."""

    name = "scripted"
    why = "the test says so"

    def __init__(self, script: dict[int, Status] | None = None, delay: float = 0.001) -> None:
        self.script = script or {}
        self.delay = delay
        self.asked: list[tuple[str, int]] = []
        self.cancelled = 0
        self.closed = False

    async def echo(self, address: str, *, index: int = 0, **options: Any) -> Reply:
        """What the script says."""
        self.asked.append((address, index))
        status = self.script.get(index, Status.REPLY)
        sent_at = time.time_ns() // 1000
        try:
            await asyncio.sleep(options["timeout"] if status is Status.TIMEOUT else self.delay)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if status is not Status.REPLY:
            return Reply(index, status, sent_at)
        return Reply(index, status, sent_at, rtt_us=1000 * (index + 1), ttl=64, source=address, size=64)

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True


class BrokenEngine(ScriptedEngine):
    """Raises what an engine never should, at the echo given."""

    async def echo(self, address: str, *, index: int = 0, **options: Any) -> Reply:
        """Fail at the second echo."""
        if index == 1:
            raise RuntimeError("the engine broke")
        return await super().echo(address, index=index, **options)


def opening(engine: ScriptedEngine) -> Callable[..., ScriptedEngine]:
    """What `Runs` calls to open its engine."""
    return lambda executor, prefer=None: engine


def forbid(executor: Any, prefer: str | None = None) -> ScriptedEngine:
    """A machine that permits nothing."""
    raise PingForbidden("Nothing is permitted here.", "sysctl -w net.ipv4.ping_group_range='0 2147483647'")
