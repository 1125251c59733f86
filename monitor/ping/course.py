"""A row of echoes to one host, each due at a time that no delay of another moves."""

import functools
import socket
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable, Sequence

from monitor.ping.arrival import Arrival
from monitor.ping.clock import SECOND, STEP
from monitor.ping.icmp import TOKEN_SIZE
from monitor.ping.reply import REPLY, Reply, Status
from monitor.ping.target import Target

Deliver = Callable[[Reply], None]
# A named tuple by its own constructor takes three times as long.
make_tuple = tuple.__new__

# After a long sleep of the machine: so many slots are told as missed, the others by the jump of the index.
MISSED = 60
ANSWERED = {Status.REPLY, Status.CORRUPT, Status.LATE}


class Course:
    """Echoes of `target`: `count` of them, None for no end, every `interval` seconds, numbered from `index`.

    `deliver` gets each reply and each note, in `loop`, or without one in the engine's thread. `due` is when
    the next echo is: nanoseconds after the start, and once started, of the monotonic clock. An echo that
    could not leave within `patience` (ns) of its due time is not sent any more.
    """

    __slots__ = (
        "deliver",
        "due",
        "end",
        "index",
        "interval",
        "loop",
        "patience",
        "stopped",
        "target",
        "timeout",
    )

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
        self.interval = count_nanoseconds(interval)
        self.timeout = count_nanoseconds(target.options.timeout)
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

    def step(self, now: int) -> "Flight":
        """Return the echo that is due, and go on to the next one."""
        # One with an end owes a record of each of its echoes.
        if self.end is None and now - self.due > MISSED * self.interval:
            self._skip((now - self.due) // self.interval - MISSED)
        flight = Flight(self, self.index)
        self.index += 1
        self.due += self.interval
        return flight

    def _skip(self, slots: int) -> None:
        self.index += slots
        self.due += slots * self.interval


@functools.lru_cache(maxsize=256)
def count_nanoseconds(seconds: float) -> int:
    """Return whole nanoseconds: one number for all courses that have it, of thirty-two bytes."""
    return int(seconds * SECOND)


class Flight:
    """One echo of a course, `sent` by the monotonic clock (ns), `sent_at` by the real one, 0 where it never was.

    `sequence` is the number that its packet carries.
    """

    __slots__ = ("course", "index", "outcome", "sent", "sent_at", "sequence", "token")

    def __init__(self, course: Course, index: int) -> None:
        self.course = course
        self.index = index
        self.sent = self.sent_at = self.sequence = 0
        self.token = b""
        self.outcome: Status | None = None

    @property
    def due(self) -> int:
        """When it was to leave, by the monotonic clock (ns): its course tells."""
        course = self.course
        return course.due - (course.index - self.index) * course.interval

    @property
    def key(self) -> tuple[bytes, int]:
        """The packed address and the sequence by which an answer finds it."""
        return self.course.target.packed, self.sequence

    @property
    def payload(self) -> bytes:
        """The bytes that its packet carries, and that a sound answer brings back."""
        options = self.course.target.options
        return (self.token + options.padding)[: options.size]

    def accept(self, arrival: Arrival, ident: int, read: int, read_at: int) -> Reply | None:
        """Return the record of this echo if this is the answer that nearly all have: sound, from the host itself, the
        first, in time, and by clocks that nobody set; None if `judge` and `hear` must look closer.

        `read` and `read_at` are the monotonic and the real time of reading it.
        """
        status, told, _, payload, _, _, ttl, received_at, size = arrival
        sent, sent_at, course = self.sent, self.sent_at, self.course
        options = course.target.options
        round_trip = received_at - sent_at
        if (
            status is not REPLY
            or payload != (self.token + options.padding)[: options.size]
            or told != ident
            or self.outcome is not None
            or not 0 <= round_trip <= course.timeout
            or round_trip > read - sent
            or not -STEP < read_at - sent_at - read + sent < STEP
        ):
            return None
        self.outcome = REPLY
        delay = (sent - self.due) // 1000
        fields = self.index, REPLY, sent_at // 1000, round_trip // 1000, ttl, course.target.address, size, 0, delay
        return make_tuple(Reply, fields)

    def judge(self, arrival: Arrival) -> Status | None:
        """Return what an answer means for this echo, None if it answers another one."""
        if arrival.status is REPLY and arrival.payload == self.payload:
            return REPLY
        token, answered = self.token[: self.course.target.options.size], arrival.payload[:TOKEN_SIZE]
        if arrival.status is REPLY:
            return Status.CORRUPT if answered == token else None
        # Who reports an error need not quote more than the header of what it was about.
        return arrival.status if token.startswith(answered) else None

    def hear(self, status: Status, arrival: Arrival, round_trip: int) -> list[Reply]:
        """Return what an answer makes known: the outcome, a note if that was known already, or both."""
        if status is REPLY:
            if self.outcome is None and round_trip <= self.course.timeout:
                self.outcome = REPLY
                return [self.report(REPLY, round_trip, arrival)]
            if self.outcome in ANSWERED:
                return [self.report(Status.DUPLICATE, round_trip, arrival)]
            verdict = [self.conclude(Status.TIMEOUT)] if self.outcome is None else []
            return [*verdict, self.conclude(Status.LATE, round_trip, arrival)]
        if status is Status.REDIRECT:
            return [self.report(status, None, arrival)]
        return [self.conclude(status, None, arrival)] if self.outcome is None else []

    def conclude(self, status: Status, round_trip: int | None = None, arrival: Arrival | None = None) -> Reply:
        """Return the record of this echo and remember its outcome."""
        self.outcome = status
        return self.report(status, round_trip, arrival)

    def report(self, status: Status, round_trip: int | None, arrival: Arrival | None) -> Reply:
        """Return a record of this echo; the round trip is in nanoseconds."""
        sent_at = (self.sent_at or time.time_ns()) // 1000
        delay = (self.sent - self.due) // 1000 if self.sent > self.due else 0
        if arrival is None:
            return Reply(self.index, status, sent_at, delay_us=delay)
        if round_trip is None:
            return Reply(self.index, status, sent_at, source=self._spell(arrival.sender), delay_us=delay)
        source = self._spell(arrival.sender)
        fields = self.index, status, sent_at, round_trip // 1000, arrival.ttl, source, arrival.size, 0, delay
        return make_tuple(Reply, fields)

    def _spell(self, sender: bytes) -> str:
        target = self.course.target
        return target.address if sender == target.packed else socket.inet_ntop(target.options.family, sender)


def spread_evenly(courses: Sequence[Course]) -> None:
    """Have courses begin one after the other over their interval, so that not all send at once."""
    for place, course in enumerate(courses):
        course.due += course.interval * place // len(courses)
