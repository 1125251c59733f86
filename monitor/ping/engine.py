"""Sends echo requests to many hosts through shared sockets, and hands each one's reply back."""

import contextlib
import logging
import os
import select
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Executor

from monitor.ping.airspace import Airspace
from monitor.ping.arrival import READS, Arrival
from monitor.ping.carrier import FULL, REFUSALS, TOGETHER, Carrier
from monitor.ping.clock import SECOND, Load, Vigil, measure_round_trip, read_clocks
from monitor.ping.course import Course, Flight
from monitor.ping.courtesy import Courtesy
from monitor.ping.departures import Departures
from monitor.ping.desk import Desk
from monitor.ping.mailbox import Mailbox
from monitor.ping.outbox import Outbox
from monitor.ping.precedence import punctual, take_short_turns
from monitor.ping.reply import REPLY, Reply, Status

logger = logging.getLogger(__name__)

LONGEST_WAIT, MILLISECOND = 60 * SECOND, SECOND // 1000
# An answer stamped before its deadline may reach the socket a little after it.
GRACE = MILLISECOND
# So much is done in one turn at most, that none takes longer than some milliseconds; so are `READS` of answers.
COURSES, SENDS, TIMEOUTS = 2048, 192, 384
# Answers that nobody is known to have asked for are kept, so many, while it is found out.
PUZZLES = 4096
# Under load the loop turns once in so long and sends what has gathered. It listens once it has sent a number of
# packets, or after a while: the answers can wait, because the kernel has stamped them.
PACE = 3 * MILLISECOND
GATHERED, HEARING = 24, 8 * MILLISECOND


class SocketEngine(Desk):
    """Any number of echoes over one socket for each address family, in one loop in one thread.

    The thread is one of the executor's, held only while something is in the air. `counts` holds what nobody
    asked for: stray and malformed answers, packets that the kernel had no room for, sends that had to be retried.
    """

    def __init__(
        self,
        executor: Executor,
        name: str,
        why: str,
        carriers: dict[int, Carrier],
        packets_per_second: float = 0,
    ) -> None:
        self.name = name
        self.why = why
        self.counts: Counter[str] = Counter()
        self._carriers = carriers
        self._carriers_by_descriptor = {carrier.fileno(): carrier for carrier in carriers.values()}
        self._departures = Departures(packets_per_second)
        self._airspace = Airspace()
        self._puzzles: list[tuple[Arrival, int, int, int]] = []
        self._outbox = Outbox()
        self._vigil = Vigil()
        self._load = Load()
        self._turned_at = self._heard_at = self._unheard = 0
        self._mailbox = Mailbox[Course](lambda: executor.submit(self._fly))
        self._courtesy = Courtesy(self._find_when)
        take_short_turns()
        self._poll = select.epoll()
        for descriptor in (self._mailbox.alarm, *self._carriers_by_descriptor):
            self._poll.register(descriptor, select.EPOLLIN)

    def follow(self, courses: Sequence[Course]) -> None:
        """Send the echoes of each course as they come due, until it is over or stopped; from any thread."""
        now = time.monotonic_ns()
        for course in courses:
            course.start(now)
        if not self._mailbox.put(courses):
            refused = Outbox()
            refused.put([(course, course.step(now).conclude(Status.NOT_SENT)) for course in courses])
            refused.send()
        self._courtesy.ask({course.loop for course in courses})

    @property
    def closed(self) -> bool:
        """Whether it takes no more courses."""
        return self._mailbox.closed

    def close(self) -> None:
        """Give back sockets and thread; echoes in the air come back as not sent."""
        if self._mailbox.close():
            self._poll.close()
            os.close(self._mailbox.alarm)
            for carrier in self._carriers.values():
                carrier.close()

    def _find_when(self) -> float | None:
        """Return since when there is something to do, or from when on (monotonic seconds); None if nothing flies."""
        with contextlib.suppress(ValueError, OSError):  # it was closed just now
            if not self._mailbox.stopped:
                pending = not self._load.heavy and self._poll.poll(0, 1)
                return 0.0 if pending else self._vigil.expected / SECOND
        return None

    def _fly(self) -> None:
        """Run while anything is in the air."""
        self._vigil = Vigil()
        with punctual():
            while self._board():
                try:
                    self._turn()
                except Exception:
                    logger.exception("The ping engine failed; what was in the air is reported as not sent")
                    self._abandon()

    def _turn(self) -> None:
        """What happens to packets, in this order."""
        now, events = self._wait()
        landed = self._land(now, events) if events is not None else 0
        self._solve()
        departed = self._depart()
        self._unheard += departed
        self._outbox.send()
        self._load.add(landed + departed, now)

    def _board(self) -> bool:
        """Take in what was asked for; False if that is nothing and nothing is in the air, or all is over."""
        for course in self._mailbox.take(COURSES, idle=not (self._departures or self._airspace)):
            self._departures.add(course)
        if self._mailbox.closed:
            self._abandon()
            self._mailbox.retire()
            return False
        return bool(self._departures or self._airspace)

    def _wait(self) -> tuple[int, list[tuple[int, int]] | None]:
        """Sleep until something comes in or comes due; return the time before, and what has come since, None where
        nobody listened."""
        now = time.monotonic_ns()
        if self._load.heavy:
            now = self._rest(now)
            listen = self._unheard >= GATHERED or now > self._heard_at + HEARING
            events = self._poll.poll(0) if listen else None
        else:
            self._vigil.look(now)
            # What is past is forgotten in passing; it is waited for at the end alone.
            latest = now + LONGEST_WAIT if self._departures else self._airspace.empty_at(now + LONGEST_WAIT)
            wake = self._departures.wake_at(self._airspace.wake_at(latest) + GRACE)
            # The kernel's wait knows whole milliseconds.
            pause = 0 if self._puzzles else max(0, -((now - wake) // MILLISECOND))
            self._vigil.expect(now + pause * MILLISECOND)
            events = self._poll.poll(pause / 1000)
        self._turned_at = time.monotonic_ns()
        self._vigil.look(self._turned_at)
        return now, events

    def _rest(self, now: int) -> int:
        """Sleep while what comes due gathers, and return the time after."""
        wake = self._turned_at + PACE
        self._vigil.expect(wake)
        if now < wake:
            time.sleep((wake - now) / SECOND)
        return time.monotonic_ns()

    def _land(self, now: int, events: list[tuple[int, int]]) -> int:
        """Read the answers and errors that have come, and return how many; if that is all of them, echoes without one
        run out of time."""
        read = 0
        for descriptor, event in events:
            if (carrier := self._carriers_by_descriptor.get(descriptor)) is None:
                os.eventfd_read(descriptor)
                continue
            errors = carrier.receive_errors() if event & select.EPOLLERR else ()
            read += self._hear([*errors, *carrier.receive()], carrier.ident)
            if dropped := carrier.count_dropped():
                self.counts["dropped"] += dropped
                self._vigil.disturbed_at = time.monotonic_ns()
        if read < READS:
            self._heard_at, self._unheard = now, 0
            self._expire(now)
        return read

    def _hear(self, arrivals: list[Arrival | None], ident: int) -> int:
        """Find whose answer each is and what it says, and return how many; a stray one is counted and forgotten."""
        read, read_at = read_clocks()
        known, land = self._airspace.known, self._airspace.land
        heard: list[tuple[Course, Reply]] = []
        for arrival in arrivals:
            if arrival is None:
                self.counts["malformed"] += 1
            elif (flight := known.get(key := (arrival.sender, arrival.sequence))) and (
                reply := flight.accept(arrival, ident, read, read_at)
            ):
                land(key, flight)
                heard.append((flight.course, reply))
            else:
                heard += self._look_closer(arrival, ident, read, read_at)
        self._outbox.put(heard)
        return len(arrivals)

    def _look_closer(self, arrival: Arrival, ident: int, read: int, read_at: int) -> list[tuple[Course, Reply]]:
        """Find out what an answer is that is not as nearly all are: an error, a second one, late, damaged, a stray."""
        if (found := self._airspace.find(arrival, ident)) is None:
            if self._airspace.indexing and len(self._puzzles) < PUZZLES:
                self._puzzles.append((arrival, ident, read, read_at))
            else:
                self.counts["stray"] += 1
            return []
        flight, status = found
        round_trip = measure_round_trip(flight.sent, flight.sent_at, read, read_at, arrival.received_at)
        replies = flight.hear(status, arrival, round_trip)
        if any(reply.status is REPLY for reply in replies):
            self._airspace.land(flight.key, flight)
        return [(flight.course, reply) for reply in replies]

    def _solve(self) -> None:
        """Go on finding out which echoes have an answer, and then what the answers were that explained nothing."""
        if not self._puzzles:
            return
        self._airspace.index()
        if not self._airspace.indexing:
            puzzles, self._puzzles = self._puzzles, []
            for puzzle in puzzles:
                self._outbox.put(self._look_closer(*puzzle))

    def _expire(self, now: int) -> None:
        """Close the books of echoes that nobody answered in time, or that we could not listen for."""
        for flight in self._airspace.overdue(now - GRACE, TIMEOUTS):
            heard = flight.sent > self._vigil.disturbed_at
            self._conclude(flight, Status.TIMEOUT if heard else Status.NOT_SENT)

    def _depart(self) -> int:
        """Send what is due, as far as the ceiling and the kernel's buffers allow, and return how many."""
        now, real = read_clocks()
        if leaving := self._departures.take(now, SENDS):
            self._launch_all(leaving, now, real - now)
        return len(leaving)

    def _launch_all(self, flights: list[Flight], now: int, ahead: int) -> None:
        """Send all that still may leave; the real clock is `ahead` of the monotonic."""
        together: dict[Carrier, list[Flight]] = {carrier: [] for carrier in self._carriers.values()}
        for flight in flights:
            options = flight.course.target.options
            if now - flight.due > flight.course.patience:
                self._conclude(flight, Status.NOT_SENT)
            elif (carrier := self._carriers.get(options.family)) is None:
                self._conclude(flight, Status.NO_ROUTE)
            elif options.plain:
                together[carrier].append(flight)
            else:
                self._launch(flight, carrier, ahead)
        # Where there is time for it they leave one by one, each with its stamp.
        most = TOGETHER if self._load.heavy else 1
        for carrier, plain in together.items():
            for start in range(0, len(plain), most):
                self._launch_together(plain[start : start + most], carrier, ahead)
            if carrier.reported:
                self._hear(carrier.receive_errors(), carrier.ident)

    def _launch_together(self, flights: list[Flight], carrier: Carrier, ahead: int) -> None:
        """Send some packets to plain targets at once; `ahead` as above."""
        self._airspace.check_in(flights)
        build = carrier.build
        packets = [(flight.course.target.packed, build(flight.sequence, flight.payload)) for flight in flights]
        sent, taken = carrier.send_together(packets) if self._load.heavy else carrier.send_stamped(packets[0], ahead)
        self._departures.count(sent, taken)
        self._airspace.depart(flights[:taken], sent, sent + ahead)
        # Why the kernel refused one, it says only to one that goes by itself.
        for flight in flights[taken:]:
            self._airspace.withdraw(flight)
            self._launch(flight, carrier, ahead)

    def _launch(self, flight: Flight, carrier: Carrier, ahead: int) -> None:
        """Send one packet, and keep it in mind until its deadline."""
        self._airspace.check_in([flight])
        packet = carrier.build(flight.sequence, flight.payload)
        try:
            sent = carrier.send(flight.course.target, packet, ahead)
        except OSError as error:
            self._airspace.withdraw(flight)
            if error.errno in FULL:
                self.counts["retried"] += 1
                self._departures.hold(flight, time.monotonic_ns())
            else:
                self._conclude(flight, REFUSALS.get(error.errno or 0, Status.NOT_SENT))
        else:
            self._departures.count(sent)
            self._airspace.depart([flight], sent, sent + ahead)

    def _conclude(self, flight: Flight, status: Status) -> None:
        self._outbox.put([(flight.course, flight.conclude(status))])

    def _abandon(self) -> None:
        """Report everything that is in the air as not sent."""
        airspace, self._airspace, self._puzzles = self._airspace, Airspace(), []
        for flight in [*self._departures.clear(), *airspace]:
            if flight.outcome is None:
                self._conclude(flight, Status.NOT_SENT)
        self._outbox.send()
