"""A host while it is watched: its row, the course that asks it, how it stands, and its line on the board."""

import time
from asyncio import AbstractEventLoop
from collections.abc import Callable, Sequence

from monitor.health import Change, Echo, Health, State
from monitor.models import Host
from monitor.order import Order
from monitor.packing import find_code
from monitor.ping.course import Course
from monitor.ping.reply import Reply, Status
from monitor.ping.target import Target
from monitor.recent import Recent
from monitor.slumber import list_slots
from monitor.standing import Noticed, Standing, Why
from monitor.wire_watch import UNTIL, row_json
from monitor.wire_watch import Why as WhyShown

SECOND_US = 1_000_000
# While somebody looks who wishes it so.
FAST_SECONDS = 0.2
# The places of hosts in their interval: multiples of the golden ratio lie evenly, whatever hosts come and go.
GOLDEN = 0.6180339887498949
# A host that could not be asked gets so many slots at most for the time that nobody looked.
MOST_BLIND = 60
# For what is done about twice a second (s).
SPARE = 2.0
# A course of which so little is heard is asked by nobody: its engine failed and forgot it.
MUTE_SECONDS, MUTE_INTERVALS = 30.0, 3
# An echo that is not heard of so long after its timeout will not be.
SLACK_US = SECOND_US


class Watched:
    """A host that is being watched. Times named `..._at` and `..._until` are monotonic seconds; `due` is µs since 1970.

    `problem` is the code of why it cannot be asked, "" where it can. Until `resume` echoes are held back, for nobody
    knows yet what went before them. `ruled` is which state of the rules it is judged by, `maintained_until` when its
    maintenance ends (µs since 1970).
    """

    def __init__(self, host: Host) -> None:
        self.host = host
        self.id: int = host.pk
        self.address: str | None = host.address
        self.problem: str = ""
        since = round(host.state_since.timestamp() * SECOND_US) if host.state_since else 0
        self.standing = Standing(host.pk, State(host.state), since)
        self.course: Course | None = None
        self.lines = 0
        self.look_up_at = 0.0
        self.looked_until = 0.0
        self.fast = False
        self.fast_until = 0.0
        self.ruled = 0
        self.answered = 0
        self.maintained_until: int | None = None
        self._held: list[Echo] | None = []
        self._order = Order()
        self._index = 0
        # The first index of its course, and the seconds between the echoes from there on and before.
        self._pace: tuple[int, float, float] = (0, host.interval, host.interval)
        self._recent = Recent()
        self._last: int | str | None = None
        self._sent_at = 0
        self._heard_at = 0.0
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

    @property
    def health(self) -> Health:
        """What its echoes say."""
        return self.standing.health

    @property
    def state(self) -> State:
        """How it is, all in all."""
        return self.standing.state

    @property
    def asked(self) -> bool:
        """Whether its packets are to be heard of."""
        return not self.host.paused and not self.problem

    @property
    def patience(self) -> float:
        """Seconds from when it goes down until that is known, wherever in its interval that is."""
        return 2 * self.host.interval + self.host.timeout + self.standing.row_us(self.host.interval) / SECOND_US + SPARE

    @property
    def resumed(self) -> bool:
        """Whether it is known how it was before it was watched."""
        return self._held is None

    def is_silent(self, now: int) -> bool:
        """Whether an answer is overdue (µs since 1970), for whatever reason: lost, or nobody looked for a moment."""
        return self.answered + (2 * self.host.interval + self.host.timeout) * SECOND_US < now

    def renew(self, host: Host) -> list[Noticed]:
        """Take over a row that somebody changed; what that changes about its state."""
        if (host.host, host.family) != (self.host.host, self.host.family):
            self.address, self.problem, self.look_up_at = None, "", 0.0
        self.host, self.ruled = host, 0
        return self._heed_pause() if self.resumed else []

    def resume(self, health: Health, until: int, why: Why, changes: Sequence[Change]) -> list[Noticed]:
        """Go on from how it was when it was last watched, and judge what came since it is again."""
        held, self._held = self._held or [], None
        now = time.time_ns() // 1000
        noticed = self.standing.resume(health, until, why, changes, now) + self._heed_pause()
        return noticed + self._hear(held, now)

    def set_course(self, deliver: Callable[[Reply], None], loop: AbstractEventLoop) -> Course | None:
        """The course to follow from now on, where it is another than the one so far; that one ends."""
        target, interval, old = self.target, self.interval, self.course
        if old and target and (old.target, old.interval) == (target, round(interval * 1e9)):
            return None
        self.stop()
        if target is None:
            return None
        self.course = Course(target, deliver, interval=interval, count=None, index=self._index, loop=loop)
        self.course.due = self._wait_for_turn(interval)
        self._pace = self._index, interval, self._pace[1]
        self._heard_at = time.monotonic()
        self.problem, self._blind_due = "", 0
        return self.course

    def stop_if_mute(self) -> None:
        """Ask no more by a course that says nothing any more, not even that an echo was lost."""
        patience = MUTE_SECONDS + MUTE_INTERVALS * self.host.interval + self.host.timeout
        if self.course and time.monotonic() > self._heard_at + patience:
            self.stop()

    def stop(self) -> None:
        """Ask no more."""
        if self.course:
            self.course.stop()
            self._index = self.course.index
        self.course = None

    def find_pace(self, reply: Reply) -> float:
        """Seconds from the echo of a reply to the next, as they were when it was sent."""
        first, pace, before = self._pace
        return pace if reply.index >= first else before

    def date(self, reply: Reply) -> int:
        """When the echo of a reply was due. One that never left tells only its index, counted from one that did."""
        if reply.status is Status.NOT_SENT and self._seen:
            index, due = self._seen
            return due + round((reply.index - index) * self.find_pace(reply) * SECOND_US)
        due = reply.sent_at - reply.delay_us
        if reply.status is not Status.NOT_SENT:
            self._seen = (reply.index, due)
        return due

    def judge(self, reply: Reply, due: int) -> list[Noticed]:
        """Take in what came of an echo; what that, and those that waited for it, change about its state."""
        if reply.note:
            return []
        self._heard_at = time.monotonic()
        self._sent_at = max(self._sent_at, reply.sent_at)
        self._last = reply.rtt_us if reply.rtt_us is not None else reply.status.value
        if reply.measured:
            self._recent.add(due, reply.rtt_us if reply.status is Status.REPLY else None)
        if reply.status is Status.REPLY:
            self.answered = due
        echo = Echo(due, find_code(reply), round(self.find_pace(reply) * SECOND_US))
        return self._hear(self._order.put(reply.index, echo), time.time_ns() // 1000)

    def give_up(self, now: int) -> list[Noticed]:
        """Judge what waits for echoes that should have been heard of by `now` (µs since 1970)."""
        patience = round(self.host.timeout * SECOND_US) + SLACK_US
        return self._hear(self._order.give_up(now - patience), now)

    def blind(self, problem: str) -> tuple[list[int], list[Noticed]]:
        """It cannot be asked, and this is why: the dues that passed since this was last said."""
        now, step = time.time_ns() // 1000, round(self.host.interval * SECOND_US)
        first = max(self._blind_due, now - MOST_BLIND * step) if self._blind_due else now
        dues = list(range(first, now + 1, step))
        self._blind_due = dues[-1] + step if dues else first
        self.problem, self._last = problem, problem
        return dues, self.standing.declare(State.NOT_MEASURED, now) if self.resumed else []

    def sleep(self, span: tuple[int, int], most: int) -> tuple[range, int]:
        """The machine slept from one time until another (µs since 1970): the dues that passed, `most` of them, and how
        far apart they are."""
        if self.course is None or self._seen is None:
            return range(0), SECOND_US
        return list_slots(self._seen[1], round(self.interval * SECOND_US), span, most)

    def row(self, now: int) -> str:
        """Its row on the board."""
        loss, jitter = self._recent.loss(now), self._recent.jitter(now)
        return row_json(self.id, self.state, self._last, loss, jitter, self._sent_at // 1000 or None, self._explain())

    def _explain(self) -> WhyShown | None:
        standing = self.standing
        if standing.bad:
            return standing.since // 1000, standing.why.reason, standing.why.limit
        if self.state is State.MAINTENANCE and self.maintained_until:
            return standing.since // 1000, UNTIL, self.maintained_until // 1000
        return None

    def _hear(self, echoes: list[Echo], now: int) -> list[Noticed]:
        if self._held is not None:
            self._held += echoes
            return []
        noticed: list[Noticed] = []
        for echo in echoes:
            noticed += self.standing.hear(echo, max(now, echo.due))
        return noticed

    def _heed_pause(self) -> list[Noticed]:
        now, paused = time.time_ns() // 1000, self.health.state is State.PAUSED
        if self.host.paused:
            return [] if paused else self.standing.declare(State.PAUSED, now)
        return self.standing.declare(State.STARTING, now) if paused else []

    def _wait_for_turn(self, interval: float) -> int:
        """Nanoseconds until its place in the interval, which is of the time of day: a restart goes on where it was."""
        place = self.id * GOLDEN % 1 * self.host.interval
        return round((place - time.time()) % interval * 1e9)
