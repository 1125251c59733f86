"""A row of echoes to one host: one, or one every interval, each due at a time that no delay of another moves."""

from asyncio import AbstractEventLoop
from collections.abc import Sequence

from monitor.ping.clock import SECOND
from monitor.ping.flight import Deliver, Flight
from monitor.ping.target import Target

# After a long sleep of the machine: so many slots are told as missed, the others by the jump of the index.
MISSED = 60


class Course:
    """Echoes of `target`: `count` of them, None for no end, every `interval` seconds, numbered from `index`.

    `deliver` gets each reply and each note, in `loop`, or without one in the engine's thread. `due` is when
    the next echo is: nanoseconds after the start, and once started, of the monotonic clock. An echo that
    could not leave within `patience` (ns) of its due time is not sent any more.
    """

    __slots__ = ("deliver", "due", "end", "index", "interval", "loop", "patience", "stopped", "target", "timeout")

    def __init__(
        self,
        target: Target,
        deliver: Deliver,
        *,
        interval: float = 1.0,
        count: int | None = 1,
        index: int = 0,
        loop: AbstractEventLoop | None = None,
    ) -> None:
        self.target = target
        self.deliver = deliver
        self.loop = loop
        self.interval = int(interval * SECOND)
        self.timeout = int(target.timeout * SECOND)
        self.index = index
        self.end = None if count is None else index + count
        self.patience = max(SECOND, self.timeout) if count == 1 else self.interval
        self.due = 0
        self.stopped = False

    @property
    def over(self) -> bool:
        """Whether every echo of it has been asked for, or somebody stopped it."""
        return self.stopped or self.index == self.end

    def start(self, now: int) -> None:
        """Set off at this time."""
        self.due += now

    def stop(self) -> None:
        """Ask for no more; echoes in the air are still reported."""
        self.stopped = True

    def step(self, now: int) -> Flight:
        """Return the echo that is due, and go on to the next one."""
        if now - self.due > MISSED * self.interval and self.end != self.index + 1:
            self._skip((now - self.due) // self.interval - MISSED)
        flight = Flight(self, self.index, self.due)
        self.index += 1
        self.due += self.interval
        return flight

    def _skip(self, slots: int) -> None:
        if self.end is not None:
            slots = min(slots, self.end - self.index - 1)
        self.index += slots
        self.due += slots * self.interval


def spread_evenly(courses: Sequence[Course]) -> None:
    """Have courses begin one after the other over their interval, so that not all send at once."""
    for place, course in enumerate(courses):
        course.due += course.interval * place // len(courses)
