"""What callers ask of an engine, one echo or thousands, and how they get their replies."""

import asyncio
import math
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import Any, Protocol

from monitor.ping.course import Course, Deliver, spread_evenly
from monitor.ping.reply import Reply
from monitor.ping.target import Target


class Engine(Protocol):
    """Sends echo requests: `name` is "datagram", "raw" or "command", `why` says why that was chosen."""

    name: str
    why: str

    async def echo(self, address: str, *, index: int = 0, afterwards: Deliver | None = None, **options: Any) -> Reply:
        """Send one echo request and return what came of it; the network never makes it raise.

        `options` are those of `Target`. `afterwards` is told of a late or second answer to it.
        """

    def stream(
        self, targets: Iterable[Target], *, interval: float = 1.0, count: int | None = None
    ) -> AsyncGenerator[tuple[Target, Reply], None]:
        """Ask each target every `interval` seconds, and yield each reply, and each note, when it is known.

        It ends when `count` echoes of every target have come to an end, never without a count.
        """

    def follow(self, courses: Sequence[Course]) -> None:
        """Send the echoes of each course as they come due, until it is over or stopped; each course's `deliver` is
        told. Called in the event loop of the courses."""

    def close(self) -> None:
        """Give back sockets and threads; echoes in the air come back as not sent."""


class Desk(ABC):
    """Answers to callers in asyncio of an engine whose `follow` may be called from any thread."""

    @property
    @abstractmethod
    def closed(self) -> bool:
        """Whether it takes no more courses."""

    @abstractmethod
    def follow(self, courses: Sequence[Course]) -> None:
        """Send the echoes of each course as they come due; see `Engine`."""

    async def echo(self, address: str, *, index: int = 0, afterwards: Deliver | None = None, **options: Any) -> Reply:
        """Send one echo request and return what came of it; see `Engine`."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Reply] = loop.create_future()

        def deliver(reply: Reply) -> None:
            if not reply.note:
                if not answered.done():
                    answered.set_result(reply)
            elif afterwards is not None:
                afterwards(reply)

        course = Course(Target(address, **options), deliver, index=index, loop=loop)
        self.follow([course])
        try:
            return await answered
        finally:
            course.stop()

    async def stream(
        self, targets: Iterable[Target], *, interval: float = 1.0, count: int | None = None
    ) -> AsyncGenerator[tuple[Target, Reply], None]:
        """Ask each target every `interval` seconds, and yield each reply; see `Engine`."""
        loop, replies = asyncio.get_running_loop(), asyncio.Queue[tuple[Target, Reply]]()

        def set_course(target: Target) -> Course:
            def deliver(reply: Reply) -> None:
                replies.put_nowait((target, reply))

            return Course(target, deliver, interval=interval, count=count, loop=loop)

        courses = [set_course(target) for target in targets]
        spread_evenly(courses)
        self.follow(courses)
        expected = math.inf if count is None else count * len(courses)
        try:
            while expected > 0:
                target, reply = await replies.get()
                yield target, reply
                expected -= not reply.note
                if self.closed and replies.empty():
                    break
        finally:
            for course in courses:
                course.stop()
