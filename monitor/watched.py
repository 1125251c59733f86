"""A host while it is watched: its row, the course that asks it, how it is, and its line on the board."""

import datetime as dt
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable
from dataclasses import replace

from monitor.health import Change, Echo, Health, Limits, State, Verdict, declare, judge
from monitor.models import Host
from monitor.packing import find_code
from monitor.ping.course import Course
from monitor.ping.reply import Reply, Status
from monitor.ping.target import Target
from monitor.recent import Recent
from monitor.wire_watch import row_json

SECOND_US = 1_000_000
# While somebody looks who wishes it so.
FAST_SECONDS = 0.2
# The places of hosts in their interval: multiples of the golden ratio lie evenly, whatever hosts come and go.
GOLDEN = 0.6180339887498949
# A host that could not be asked gets so many slots at most for the time that nobody looked.
MOST_BLIND = 60


class Watched:
    """A host that is being watched. Times named `..._at` and `..._until` are monotonic seconds; `due` is µs since 1970.

    `problem` is the code of why it cannot be asked, "" where it can.
    """

    def __init__(self, host: Host) -> None:
        self.host = host
        self.id: int = host.pk
        self.address: str | None = host.address
        self.problem: str = ""
        self.health = Health()
        self.limits = Limits()
        self.course: Course | None = None
        self.lines = 0
        self.look_up_at = 0.0
        self.looked_until = 0.0
        self.fast = False
        self.fast_until = 0.0
        self._recent = Recent()
        self._last: int | str | None = None
        self._sent_at = 0
        self._seen: tuple[int, int] | None = None
        self._blind_due = 0

    @property
    def interval(self) -> float:
        """Seconds from one echo to the next, as things are now."""
        return min(FAST_SECONDS, self.host.interval) if self.fast else self.host.interval

    @property
    def target(self) -> Target | None:
        """What to ask; None where nothing can or shall be asked."""
        if self.address is None or self.host.paused:
            return None
        return Target(self.address, timeout=self.host.timeout)

    def renew(self, host: Host) -> Change | None:
        """Take over a row that somebody changed; what that changes about its state."""
        if (host.host, host.family) != (self.host.host, self.host.family):
            self.address, self.problem, self.look_up_at = None, "", 0.0
        self.host = host
        if host.paused:
            return self._declare(State.PAUSED)
        if self.health.state is State.PAUSED:
            return self._declare(State.STARTING)
        return None

    def set_course(self, deliver: Callable[[Reply], None], loop: AbstractEventLoop) -> Course | None:
        """The course to follow from now on, where it is another than the one so far; that one ends."""
        target, interval, old = self.target, self.interval, self.course
        if old and target and (old.target, old.interval) == (target, round(interval * 1e9)):
            return None
        if old:
            old.stop()
        self.course = None
        if target is None:
            return None
        index = old.index if old else 0
        self.course = Course(target, deliver, interval=interval, count=None, index=index, loop=loop)
        self.course.due = self._wait_for_turn(interval)
        self.problem, self._blind_due = "", 0
        return self.course

    def stop(self) -> None:
        """Ask no more."""
        if self.course:
            self.course.stop()
        self.course = None

    def date(self, reply: Reply) -> int:
        """When the echo of a reply was due. One that never left tells only its index, counted from one that did."""
        if reply.status is Status.NOT_SENT and self._seen:
            index, due = self._seen
            return due + round((reply.index - index) * self.interval * SECOND_US)
        due = reply.sent_at - reply.delay_us
        if reply.status is not Status.NOT_SENT:
            self._seen = (reply.index, due)
        return due

    def judge(self, reply: Reply, due: int) -> Change | None:
        """Take in what came of an echo; what that changes about its state."""
        if reply.note:
            return None
        self._sent_at = max(self._sent_at, reply.sent_at)
        self._last = reply.rtt_us if reply.rtt_us is not None else reply.status.value
        if reply.measured:
            self._recent.add(due, reply.rtt_us if reply.status is Status.REPLY else None)
        echo = Echo(due, find_code(reply), round(self.interval * SECOND_US))
        return self._settle(judge(self.health, echo, self.limits))

    def blind(self, problem: str) -> tuple[list[int], Change | None]:
        """It cannot be asked, and this is why: the dues that passed since this was last said."""
        now, step = time.time_ns() // 1000, round(self.host.interval * SECOND_US)
        first = max(self._blind_due, now - MOST_BLIND * step) if self._blind_due else now
        dues = list(range(first, now + 1, step))
        self._blind_due = dues[-1] + step if dues else first
        self.problem, self._last = problem, problem
        return dues, self._declare(State.NOT_MEASURED)

    def row(self, now: int) -> str:
        """Its row on the board."""
        loss, jitter = self._recent.loss(now), self._recent.jitter(now)
        return row_json(self.id, self.health.state, self._last, loss, jitter, self._sent_at // 1000 or None)

    def _declare(self, state: State) -> Change | None:
        return self._settle(declare(self.health, state, time.time_ns() // 1000))

    def _settle(self, verdict: Verdict) -> Change | None:
        self.health, change = verdict
        since = self.host.state_since
        if change and change.before is State.STARTING and change.after == self.host.state and since:
            # As it was when it was last watched: it has been so since then.
            self.health = replace(self.health, since=round(since.timestamp() * SECOND_US))
            return None
        if change:
            self.host.state = change.after.value
            self.host.state_since = dt.datetime.fromtimestamp(change.at / SECOND_US, dt.UTC)
        return change

    def _wait_for_turn(self, interval: float) -> int:
        """Nanoseconds until its place in the interval, which is of the time of day: a restart goes on where it was."""
        place = self.id * GOLDEN % 1 * self.host.interval
        return round((place - time.time()) % interval * 1e9)
