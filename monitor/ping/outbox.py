"""Replies on their way to those who asked: one wake-up of an event loop for all that it waits for."""

import contextlib
import logging
from asyncio import AbstractEventLoop
from collections import defaultdict

from monitor.ping.course import Course
from monitor.ping.reply import Reply

logger = logging.getLogger(__name__)


class Outbox:
    """Collects replies until they are sent off together."""

    def __init__(self) -> None:
        self._waiting: dict[AbstractEventLoop | None, list[tuple[Course, Reply]]] = defaultdict(list)

    def put(self, course: Course, reply: Reply) -> None:
        """Keep a reply for whoever follows the course."""
        self._waiting[course.loop].append((course, reply))

    def send(self) -> None:
        """Hand over everything, to each in its event loop, and here and now where there is none."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, defaultdict(list)
        for loop, replies in waiting.items():
            if loop is None:
                deliver_all(replies)
            else:
                with contextlib.suppress(RuntimeError):  # the loop was closed, so nobody waits
                    loop.call_soon_threadsafe(deliver_all, replies)


def deliver_all(replies: list[tuple[Course, Reply]]) -> None:
    """Hand each reply to whoever waits for it; one who fails keeps none from the others."""
    for course, reply in replies:
        try:
            course.deliver(reply)
        except Exception:
            logger.exception("Somebody failed to take a reply")
