"""The echoes in the air: whose answer an answer is, and which have run out of time."""

import os
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator

from monitor.ping.arrival import Arrival
from monitor.ping.clock import SECOND
from monitor.ping.course import Flight
from monitor.ping.icmp import TOKEN_SIZE
from monitor.ping.reply import REPLY, Status

# How long, and of how many unanswered echoes, we remember what came of them, to tell a late answer. An answered
# one is remembered until its deadline, to tell a second answer.
LINGER = 5 * SECOND
LINGERING = 10_000
TOKENS = 512


class Airspace:
    """All echoes in the air, and those that landed lately: `known` has them by address and sequence."""

    def __init__(self) -> None:
        self.known: dict[tuple[bytes, int], Flight] = {}
        # Echoes with the same timeout run out of time in the order they were sent: no heap is needed.
        self._lanes: defaultdict[int, deque[Flight]] = defaultdict(deque)
        self._lingering: deque[tuple[int, Flight]] = deque()
        self._tokens = _draw_tokens()
        self._taken = 0

    def __bool__(self) -> bool:
        """Whether any echo is in the air or remembered."""
        return bool(self.known)

    def __iter__(self) -> Iterator[Flight]:
        return iter(list(self.known.values()))

    def check_in(self, flights: Iterable[Flight]) -> None:
        """Give each echo its payload, and the sequence that people will see, unless that is in the air."""
        known, tokens = self.known, self._tokens
        for flight in flights:
            target = flight.course.target
            key = target.packed, (flight.index + 1) & 0xFFFF
            while key in known:
                self._taken += 1
                key = target.packed, (0x8000 + self._taken) & 0xFFFF
            flight.key = key
            flight.token = next(tokens)
            known[key] = flight

    def depart(self, flights: Iterable[Flight], sent: int, sent_at: int) -> None:
        """Keep echoes that have been sent in the books until their deadlines; the times are as `Flight` has them."""
        for flight in flights:
            flight.sent, flight.sent_at = sent, sent_at
            self._lanes[flight.course.timeout].append(flight)

    def withdraw(self, flight: Flight) -> None:
        """Forget an echo that could not be sent."""
        del self.known[flight.key]

    def find(self, arrival: Arrival, ident: int) -> tuple[Flight, Status] | None:
        """Return whose answer this is and what it means; None if it is nobody's."""
        flight = self.known.get((arrival.destination or arrival.sender, arrival.sequence))
        if flight is None or arrival.ident != ident or (status := flight.judge(arrival)) is None:
            return None
        return flight, status

    def wake_at(self, latest: int) -> int:
        """Return when the next echo runs out of time or out of memory, `latest` if none does before."""
        for timeout, lane in self._lanes.items():
            latest = min(latest, lane[0].sent + timeout)
        return min(latest, self._lingering[0][0]) if self._lingering else latest

    def overdue(self, now: int) -> Iterator[Flight]:
        """Yield each unanswered echo whose deadline has passed, once; forget those that are answered."""
        for timeout, lane in list(self._lanes.items()):
            while lane and lane[0].sent + timeout <= now:
                flight = lane.popleft()
                if flight.outcome is REPLY:
                    del self.known[flight.key]
                    continue
                self._lingering.append((now + LINGER, flight))
                if flight.outcome is None:
                    yield flight
            if not lane:
                del self._lanes[timeout]
        while self._lingering and (self._lingering[0][0] <= now or len(self._lingering) > LINGERING):
            flight = self._lingering.popleft()[1]
            del self.known[flight.key]


def _draw_tokens() -> Iterator[bytes]:
    while True:
        block = os.urandom(TOKENS * TOKEN_SIZE)
        for start in range(0, len(block), TOKEN_SIZE):
            yield block[start : start + TOKEN_SIZE]
