"""The echoes in the air: whose answer an answer is, and which have run out of time."""

import itertools
import os
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator

from monitor.ping.arrival import Arrival
from monitor.ping.clock import SECOND
from monitor.ping.course import Flight
from monitor.ping.icmp import TOKEN_SIZE
from monitor.ping.reply import REPLY, Status

# How long at least, and of how many unanswered echoes, we remember what came of them, to tell a late answer. One that
# has its answer is remembered until its deadline, to tell a second one, and that is looked for so long after the last.
# Nobody wakes up to forget: where little is sent they are remembered longer.
LINGER = 5 * SECOND
LINGERING = 10_000
TOKENS = 512
# So many take a millisecond to put into the index of those with an answer, and less to put aside.
INDEXED = LANDED = 2048


class Airspace:
    """All echoes in the air, and those that landed lately: `known` has those without an answer by their keys."""

    def __init__(self) -> None:
        self.known: dict[tuple[bytes, int], Flight] = {}
        # Echoes with the same timeout run out of time in the order they were sent: no heap is needed.
        self._lanes: defaultdict[int, deque[Flight]] = defaultdict(deque)
        # Those at the head of a lane that have an answer: their deadlines are nothing to wake up for.
        self._landed: defaultdict[int, deque[Flight]] = defaultdict(deque)
        self._lingering: deque[tuple[int, Flight]] = deque()
        # Those with an answer, by all that a second answer says of them; built, some in each turn, when an answer comes
        # that no other echo explains, for hardly any does.
        self._answered: dict[tuple[bytes, int, bytes], Flight] | None = None
        self._unindexed: Iterator[Flight] | None = None
        self._asked = False
        self._review_at = 0
        self._tokens = _draw_tokens()
        self._taken = 0

    def __bool__(self) -> bool:
        """Whether any echo is in the air or remembered."""
        return bool(self.known or self._lanes or self._landed)

    def __iter__(self) -> Iterator[Flight]:
        return iter(list(self.known.values()))

    def check_in(self, flights: Iterable[Flight]) -> None:
        """Give each echo its payload, and the sequence that people will see, unless that is in the air."""
        known, tokens = self.known, self._tokens
        for flight in flights:
            address, sequence = flight.course.target.packed, (flight.index + 1) & 0xFFFF
            while (address, sequence) in known:
                self._taken += 1
                sequence = (0x8000 + self._taken) & 0xFFFF
            flight.sequence = sequence
            flight.token = next(tokens)
            known[address, sequence] = flight

    def depart(self, flights: Iterable[Flight], sent: int, sent_at: int) -> None:
        """Keep echoes that have been sent in the books until their deadlines; the times are as `Flight` has them."""
        for flight in flights:
            flight.sent, flight.sent_at = sent, sent_at
            self._lanes[flight.course.timeout].append(flight)

    def withdraw(self, flight: Flight) -> None:
        """Forget an echo that could not be sent."""
        del self.known[flight.key]

    def land(self, key: tuple[bytes, int], flight: Flight) -> None:
        """An echo has its answer: from now on there can only be a second one."""
        del self.known[key]
        if self._answered is not None:
            self._answered[_identify(flight)] = flight

    @property
    def indexing(self) -> bool:
        """Whether what `find` did not find may yet be somebody's."""
        return self._unindexed is not None

    def index(self) -> None:
        """Put some more of those with an answer into their index."""
        if self._answered is None or self._unindexed is None:
            return
        some = list(itertools.islice(self._unindexed, INDEXED))
        self._answered |= {_identify(flight): flight for flight in some if flight.outcome is REPLY}
        if len(some) < INDEXED:
            self._unindexed = None

    def find(self, arrival: Arrival, ident: int) -> tuple[Flight, Status] | None:
        """Return whose answer this is and what it means; None if it is nobody's, or `indexing`."""
        if arrival.ident != ident:
            return None
        host, sequence = arrival.destination or arrival.sender, arrival.sequence
        unanswered = self.known.get((host, sequence))
        if unanswered is not None and (status := unanswered.judge(arrival)) is not None:
            return unanswered, status
        answered = self._ask_index().get((host, sequence, arrival.payload[:TOKEN_SIZE]))
        if answered is not None and (status := answered.judge(arrival)) is not None:
            return answered, status
        return None

    def wake_at(self, latest: int) -> int:
        """Return when the next echo runs out of time, `latest` if none does before."""
        for timeout, lane in list(self._lanes.items()):
            for _ in range(LANDED):
                if not lane or lane[0].outcome is not REPLY:
                    break
                self._landed[timeout].append(lane.popleft())
            if lane:
                latest = min(latest, lane[0].sent + timeout)
            else:
                del self._lanes[timeout]
        return latest

    def empty_at(self, latest: int) -> int:
        """Return when there is nothing left to remember of what is in the air now, `latest` if it is later."""
        ends = [lane[-1].sent + timeout for timeout, lane in [*self._lanes.items(), *self._landed.items()]]
        if self._lingering:
            ends.append(self._lingering[-1][0])
        return min(latest, max(ends, default=latest))

    def overdue(self, now: int, most: int) -> Iterator[Flight]:
        """Yield each unanswered echo whose deadline has passed, once; forget those that are answered. No more than
        about so many at once."""
        for flight in self._pop(now, most):
            if flight.outcome is not REPLY:
                self._lingering.append((now + LINGER, flight))
                if flight.outcome is None:
                    yield flight
            elif self._answered:
                self._answered.pop(_identify(flight), None)
        self._forget(now, most)

    def _pop(self, now: int, most: int) -> Iterator[Flight]:
        for lanes in (self._lanes, self._landed):
            for timeout, lane in list(lanes.items()):
                for _ in range(most):
                    if not lane or lane[0].sent + timeout > now:
                        break
                    yield lane.popleft()
                if not lane:
                    del lanes[timeout]

    def _forget(self, now: int, most: int) -> None:
        for _ in range(most):
            if not self._lingering or (self._lingering[0][0] > now and len(self._lingering) <= LINGERING):
                break
            self.withdraw(self._lingering.popleft()[1])
        if now > self._review_at:
            if not self._asked:
                self._answered = self._unindexed = None
            self._asked, self._review_at = False, now + LINGER

    def _ask_index(self) -> dict[tuple[bytes, int, bytes], Flight]:
        self._asked = True
        if self._answered is None:
            self._answered = {}
            lanes = [*self._landed.values(), *self._lanes.values()]
            self._unindexed = iter(list(itertools.chain.from_iterable(lanes)))
            self.index()
        return self._answered


def _identify(flight: Flight) -> tuple[bytes, int, bytes]:
    target = flight.course.target
    return target.packed, flight.sequence, flight.token[: target.options.size]


def _draw_tokens() -> Iterator[bytes]:
    while True:
        block = os.urandom(TOKENS * TOKEN_SIZE)
        for start in range(0, len(block), TOKEN_SIZE):
            yield block[start : start + TOKEN_SIZE]
