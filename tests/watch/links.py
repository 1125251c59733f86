"""An engine whose hosts answer or do not, as a test says, at the very times at which they are asked."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from monitor.ping.course import Course
from monitor.ping.reply import Reply, Status


class Link:
    """Flies courses in real time. `cut` holds addresses that do not answer; `log` what came of each: due (µs), reply."""

    def __init__(self) -> None:
        self.cut: set[str] = set()
        self.log: defaultdict[str, list[tuple[int, bool]]] = defaultdict(list)
        self._tasks: list[asyncio.Task[None]] = []

    def open(self, *args: Any, **options: Any) -> "Link":
        """What a watcher calls to have an engine."""
        return self

    def follow(self, courses: Iterable[Course]) -> None:
        self._tasks += [asyncio.create_task(self._fly(course)) for course in courses]

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()

    def find(self, address: str, answered: bool, since: int = 0) -> int:
        """When the first echo that was, or was not, answered from then on was due (µs)."""
        return next(due for due, replied in self.log[address] if replied is answered and due >= since)

    async def _fly(self, course: Course) -> None:
        due = time.time_ns() + course.due
        while not course.stopped:
            await asyncio.sleep(max(0, (due - time.time_ns()) / 1e9))
            if course.stopped:
                return
            address, index = course.target.address, course.index
            course.index += 1
            answered = address not in self.cut
            self.log[address].append((due // 1000, answered))
            status = Status.REPLY if answered else Status.TIMEOUT
            course.deliver(Reply(index, status, due // 1000, 900 if answered else None))
            due += course.interval
