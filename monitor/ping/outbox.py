"""Replies on their way to those who asked: one wake-up of an event loop for all that it waits for."""

import contextlib
import logging

from monitor.ping.course import Course
from monitor.ping.reply import Reply

logger = logging.getLogger(__name__)


class Outbox:
    """Collects replies until they are sent off together."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Course, Reply]] = []

    def put(self, replies: list[tuple[Course, Reply]]) -> None:
        """Keep replies, each for whoever follows its course."""
        self._waiting += replies

    def send(self) -> None:
        """Hand over everything, to each in its event loop, and here and now where there is none."""
        waiting, self._waiting = self._waiting, []
        loops = {course.loop for course, _ in waiting}
        for loop in loops:
            replies = waiting if len(loops) == 1 else [each for each in waiting if each[0].loop is loop]
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
