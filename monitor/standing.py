"""How a host stands: what its echoes say of it, whether maintenance covers that, and what of it is worth recording."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from monitor.health import Change, Echo, Health, Limits, State, declare, judge
from monitor.stretches import bridge, misses

SECOND_US, HOUR_US = 1_000_000, 3_600_000_000
BAD = (State.DEGRADED, State.DOWN)
UNSEEN = (State.STARTING, State.NOT_MEASURED, State.PAUSED)


@dataclass(frozen=True, slots=True)
class Noticed:
    """From `at` on (µs since 1970) a host is in `state`, which was known at `noticed_at`, by echoes due until
    `judged_until`; of one that is bad the rule that was broken, what it came to and what it may not reach. A `gap` is
    only a time in which nobody asked it. One that was `hidden` began before the maintenance in which it became known.
    """

    host: int
    at: int
    state: State
    noticed_at: int
    reason: str = ""
    value: float | None = None
    limit: float | None = None
    gap: bool = False
    judged_until: int = 0
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Why:
    """The rule that a host broke, what it came to and what it may not reach: packets, a share or µs."""

    reason: str = ""
    value: float | None = None
    limit: float | None = None


def allow(at_us: int) -> Limits:
    """What may be where nobody says otherwise."""
    return Limits()


class Standing:
    """The standing of one host; times are µs since 1970. What its methods return is to go on record.

    `until` is the end of the last echo that was judged, `covered` since when maintenance covers the host, `_ends_at`
    when that ended where it is not known yet how the host was by then, and `rules` what may be at a time, which is
    asked once an hour.
    """

    def __init__(self, host: int, state: State, since: int) -> None:
        self.host = host
        self.since = since
        self.why = Why()
        self.health = Health(state, since, state, since)
        self.until = 0
        self.covered: int | None = since if state is State.MAINTENANCE else None
        self._rules: Callable[[int], Limits] = allow
        self._limits = Limits()
        self._hour = -1
        self._shown = state
        self._begun = 0
        self._ends_at: int | None = None

    @property
    def state(self) -> State:
        """How the host is, all in all."""
        covered = self.covered is not None and self.health.state is not State.PAUSED
        return State.MAINTENANCE if covered else self.health.state

    @property
    def bad(self) -> bool:
        """Whether it is degraded or down."""
        return self.state in BAD

    @property
    def wavers(self) -> bool:
        """Whether it looks down at this moment: it is, or its last two echoes were lost."""
        return self.health.state is State.DOWN or (self.health.tends is State.DOWN and self.health.streak >= 2)

    def row_us(self, interval: float) -> int:
        """How long (µs) every packet has to be lost until it is down; `interval` is s."""
        limits = self._limits
        if not limits.in_row:
            return max(limits.over_us, round((limits.down_loss or 0) * limits.window_us))
        return max(limits.over_us, (limits.in_row - 1) * round(interval * SECOND_US))

    def obey(self, rules: Callable[[int], Limits]) -> None:
        """Be judged by these rules from now on."""
        self._rules, self._hour = rules, -1

    def resume(self, health: Health, until: int, why: Why, changes: Sequence[Change], now: int) -> list[Noticed]:
        """Go on with a health that is on record, or follows from the packets kept, which end at `until`; what that
        changed and is not on record."""
        self.health, self.until, self.why = health, until, why
        noticed: list[Noticed] = []
        for change in changes:
            self._explain(change)
            if self.covered is None or change.at < self.covered:
                noticed.append(self._describe(change, now))
        if self.covered is None:
            self._shown, self.since = health.state, health.since
        return noticed

    def hear(self, echo: Echo, now: int) -> list[Noticed]:
        """Judge an echo, in the order due."""
        if self._hour != echo.due // HOUR_US:
            self._hour, self._limits = echo.due // HOUR_US, self._rules(echo.due)
        noticed = self._bridge(echo, now) if self.until else []
        if self._ends_at is not None and echo.due >= self._ends_at:
            noticed += self._uncover(self._ends_at, now)
        self.until = echo.due + echo.weight
        self.health, change = judge(self.health, echo, self._limits)
        return noticed + self._note(change, now) if change else noticed

    def declare(self, state: State, at: int) -> list[Noticed]:
        """It is so by something other than an echo."""
        self.health, change = declare(self.health, state, at)
        self.until = 0
        noticed = self._note(change, at) if change else []
        return noticed if self._ends_at is None else noticed + self._uncover(self._ends_at, at)

    def cover(self, since: int | None, at: int) -> list[Noticed]:
        """Maintenance covers it from `since` on; None: no more, from `at` on. Whether one that is bad still was so by
        then, nobody knows before its next echo is known."""
        self._ends_at = None
        if (since is None) is (self.covered is None):
            return []
        if since is None:
            if self.health.state in BAD and 0 < self.until <= at:
                self._ends_at = at
                return []
            return self._uncover(at, at)
        self.covered = since
        self._begun = max(self._begun, since)
        return self._tell(since, at)

    def _uncover(self, at: int, now: int) -> list[Noticed]:
        self.covered = self._ends_at = None
        self._begun = max(self._begun, at)
        return self._tell(at, now)

    def _bridge(self, echo: Echo, now: int) -> list[Noticed]:
        """Nobody asked it for a while: what is missing was not measured, and where it was long, it is to be seen anew.
        Where the clock was set back, what was known of the echoes before is worth nothing any more."""
        if echo.due + echo.weight < self.until:
            self.health = replace(self.health, tends=self.health.state, streak=0, seen=0, window=None, trial=None)
        if not misses(self.until, echo.due, echo.weight):
            return []
        self.health, change = bridge(self.health, self.until, echo, self._limits)
        if change:
            return self._note(change, now)
        if self.health.state in UNSEEN:
            return []
        if self.covered is not None:
            return []
        unseen = Noticed(self.host, self.until, State.NOT_MEASURED, now, gap=True)
        return [unseen, Noticed(self.host, echo.due, self.state, now, gap=True)]

    def _note(self, change: Change, now: int) -> list[Noticed]:
        self._explain(change)
        if self.covered is not None and change.at < self.covered:
            return [self._describe(change, now)]
        return self._tell(change.at, now)

    def _describe(self, change: Change, now: int) -> Noticed:
        """A change of what is measured, whatever lies over it."""
        hidden, reasons = self.covered is not None, self._reasons(change.after)
        return Noticed(self.host, change.at, change.after, now, *reasons, judged_until=change.sure_at, hidden=hidden)

    def _explain(self, change: Change) -> None:
        if change.after in BAD and change.value is not None:
            self.why = Why(change.reason, change.value, change.limit)
        elif change.after not in (*BAD, State.NOT_MEASURED):
            self.why = Why()

    def _tell(self, at: int, now: int) -> list[Noticed]:
        """The standing as it is from `at` on, where that is another; what began before maintenance ended counts from
        then."""
        if self.state is self._shown:
            return []
        self._shown, self.since = self.state, max(at, self._begun)
        reasons = self._reasons(self.state)
        return [Noticed(self.host, self.since, self.state, now, *reasons, judged_until=self.health.seen)]

    def _reasons(self, state: State) -> tuple[str, float | None, float | None]:
        return (self.why.reason, self.why.value, self.why.limit) if state in BAD else ("", None, None)
