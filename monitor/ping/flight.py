"""The echoes in the air: each with its number, its payload and its deadline, and whose answer an answer is."""

import os
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from monitor.ping.carrier import Arrival
from monitor.ping.clock import SECOND
from monitor.ping.icmp import TOKEN_SIZE
from monitor.ping.reply import Reply, Status

if TYPE_CHECKING:
    from monitor.ping.course import Course

Deliver = Callable[[Reply], None]

# How long, and of how many echoes, we remember what came of them, to tell a late or a second answer.
LINGER = 5 * SECOND
LINGERING = 20_000
TOKENS = 512
ANSWERED = {Status.REPLY, Status.CORRUPT, Status.LATE}


class Flight:
    """One echo of a course: `due` and `sent` by the monotonic clock (ns), `sent_at` by the real one."""

    __slots__ = ("course", "due", "index", "outcome", "payload", "sent", "sent_at", "sequence")

    def __init__(self, course: "Course", index: int, due: int) -> None:
        self.course = course
        self.index = index
        self.due = due
        self.sent = self.sent_at = self.sequence = 0
        self.payload = b""
        self.outcome: Status | None = None

    def judge(self, arrival: Arrival) -> Status | None:
        """Return what an answer means for this echo, None if it answers another one."""
        if arrival.status is Status.REPLY and arrival.payload == self.payload:
            return Status.REPLY
        token, answered = self.payload[:TOKEN_SIZE], arrival.payload[:TOKEN_SIZE]
        if arrival.status is Status.REPLY:
            return Status.CORRUPT if answered == token else None
        # Who reports an error need not quote more than the header of what it was about.
        return arrival.status if token.startswith(answered) else None

    def hear(self, status: Status, arrival: Arrival, round_trip: int) -> list[Reply]:
        """Return what an answer makes known: the outcome, a note if that was known already, or both."""
        if status is Status.REPLY:
            if self.outcome is None and round_trip <= self.course.timeout:
                return [self.conclude(status, round_trip, arrival)]
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
            return Reply(self.index, status, sent_at, source=arrival.sender, delay_us=delay)
        rtt = round_trip // 1000
        return Reply(
            self.index, status, sent_at, rtt, arrival.ttl, arrival.sender, arrival.size, delay_us=delay
        )


class Flights:
    """All echoes in the air by address and sequence, and those that landed lately."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], Flight] = {}
        # Echoes with the same timeout run out of time in the order they were sent: no heap is needed.
        self._lanes: defaultdict[int, deque[Flight]] = defaultdict(deque)
        self._lingering: deque[tuple[int, Flight]] = deque()
        self._tokens = _draw_tokens()
        self._taken = 0

    def __bool__(self) -> bool:
        """Whether any echo is in the air or remembered."""
        return bool(self._known)

    def __iter__(self) -> Iterator[Flight]:
        return iter(list(self._known.values()))

    def check_in(self, flight: Flight) -> None:
        """Give an echo its payload, and the sequence that people will see, unless that is in the air."""
        target = flight.course.target
        sequence = (flight.index + 1) & 0xFFFF
        while (target.address, sequence) in self._known:
            self._taken += 1
            sequence = (0x8000 + self._taken) & 0xFFFF
        flight.sequence = sequence
        flight.payload = (next(self._tokens) + target.padding)[: target.size]

    def depart(self, flight: Flight) -> None:
        """Take an echo that has been sent into the books until its deadline."""
        self._known[flight.course.target.address, flight.sequence] = flight
        self._lanes[flight.course.timeout].append(flight)

    def find(self, arrival: Arrival, ident: int) -> tuple[Flight, Status] | None:
        """Return whose answer this is and what it means; None if it is nobody's."""
        flight = self._known.get((arrival.destination or arrival.sender, arrival.sequence))
        if flight is None or arrival.ident != ident or (status := flight.judge(arrival)) is None:
            return None
        return flight, status

    def wake_at(self, latest: int) -> int:
        """Return when the next echo runs out of time or out of memory, `latest` if none does before."""
        for timeout, lane in self._lanes.items():
            latest = min(latest, lane[0].sent + timeout)
        return min(latest, self._lingering[0][0]) if self._lingering else latest

    def overdue(self, now: int) -> Iterator[Flight]:
        """Yield each echo whose deadline has passed; each comes once, answered or not."""
        for timeout, lane in list(self._lanes.items()):
            while lane and lane[0].sent + timeout <= now:
                flight = lane.popleft()
                self._lingering.append((now + LINGER, flight))
                yield flight
            if not lane:
                del self._lanes[timeout]
        while self._lingering and (self._lingering[0][0] <= now or len(self._lingering) > LINGERING):
            flight = self._lingering.popleft()[1]
            del self._known[flight.course.target.address, flight.sequence]


def _draw_tokens() -> Iterator[bytes]:
    while True:
        block = os.urandom(TOKENS * TOKEN_SIZE)
        for start in range(0, len(block), TOKEN_SIZE):
            yield block[start : start + TOKEN_SIZE]
