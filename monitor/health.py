"""Pure rules of health: up, degraded, down, not measured; what one echo changes about that.

Echoes are judged in the order due. An onset is dated back to its first bad echo, a recovery to its first good one.
"""

import enum
from dataclasses import dataclass, field, replace

from monitor.shares import (
    EMPTY,
    LOST,
    NONE,
    NOT_MEASURED,
    RULES,
    Echo,
    Limits,
    Marks,
    Trial,
    Window,
    find_broken,
    go_on,
    mark,
    slide,
)

__all__ = ["LOST", "NOT_MEASURED", "Change", "Echo", "Health", "Limits", "State", "Verdict", "declare", "judge"]

# What confirms where the rule of packets in a row is off.
ENOUGH = 5
LOST_IN_ROW, DOWN_LOSS = "lost_in_row", "down_loss"


class State(enum.StrEnum):
    """How a host is; the values go on the wire."""

    STARTING = "starting"
    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    NOT_MEASURED = "not_measured"
    PAUSED = "paused"
    MAINTENANCE = "maintenance"


# In Python 3.11 to look up a member of an enumeration takes longer than to judge a steady echo.
UP, DOWN, UNKNOWN = State.UP, State.DOWN, State.NOT_MEASURED
BAD = (State.DEGRADED, State.DOWN)
DECLARED = (State.PAUSED, State.MAINTENANCE)


@dataclass(frozen=True, slots=True)
class Health:
    """How a host is and since when, and which way the last echoes point; times are µs since 1970.

    `tends` is what the last `streak` echoes agree on, the first of which was due at `tends_since`; while a host is up,
    answers count for nothing there. `seen` is when the last echo was due that left a trace. `reason` is the rule that
    made it bad, `former` the bad state that it was in before it could not be measured, `last_us` its last answer.
    """

    state: State = State.STARTING
    since: int = 0
    tends: State = State.STARTING
    tends_since: int = 0
    streak: int = 0
    seen: int = 0
    reason: str = ""
    former: State | None = None
    last_us: int | None = None
    window: Window | None = None
    trial: Trial | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A host is no longer as it was; `at` is when that began, and `sure_at` when the echo was due that made it certain.

    `reason` is the rule that was broken, "" where none was; `value` is what it came to and `limit` what it may not
    reach: packets, a share or µs.
    """

    before: State
    after: State
    at: int
    reason: str = ""
    value: float | None = None
    limit: float | None = None
    sure_at: int = field(default=0, compare=False)


Verdict = tuple[Health, Change | None]


def judge(health: Health, echo: Echo, limits: Limits) -> Verdict:
    """The health after an echo, and what that changes. One not after `health.seen` changes nothing, and a steady host
    keeps the very same health; so does one that is declared to be paused."""
    value = echo.value
    if 0 <= value < limits.calm_us and not health.streak and health.state is UP:
        return health, None
    if echo.due <= health.seen or health.state in DECLARED or _is_old_news(health, value):
        return health, None
    if limits.jitter_us and (even := _stay_even(health, echo, limits)):
        return even, None
    marks = NONE if value <= NOT_MEASURED else mark(echo, health.last_us, limits)
    health = _line_up(health, echo)
    if health.tends is UNKNOWN:
        return _lose_sight(health, echo, limits)
    if health.state is UNKNOWN and health.former:
        return _come_back(health, health.former, echo, marks, limits)
    if health.state in BAD:
        return _judge_bad(health, echo, marks, limits)
    if health.tends is UP and health.state is not UP:
        return _settle(health, UP, echo.due)
    return _look_for_onset(health, echo, marks, limits)


def declare(health: Health, state: State, at: int) -> Verdict:
    """The health when something other than an echo decides it: paused, not to be measured, starting again. What came
    of echoes due until then is forgotten, also where that is its state already."""
    former = (health.state if health.state in BAD else health.former) if state is UNKNOWN else None
    reason = health.reason if former or state in BAD else ""
    same = state is health.state
    declared = Health(state, health.since if same else at, state, at, seen=at, reason=reason, former=former)
    return declared, None if same else Change(health.state, state, at, sure_at=at)


def _stay_even(health: Health, echo: Echo, limits: Limits) -> Health | None:
    """The health after an answer of a steady host that is good by every rule, where there is one on jitter: the window
    takes it in, and no more. None where the answer may be more than that."""
    due, value, weight = echo
    last = health.last_us
    if health.state is not UP or health.streak or last is None or not 0 <= value < limits.even_us:
        return None
    change = abs(value - last)
    if change >= (limits.jitter_us or 0):
        return None
    window = slide(health.window or EMPTY, echo, (0, 0, 0, change * weight), limits) if change else health.window
    return Health(UP, health.since, UP, due, 0, due, health.reason, health.former, value, window, None)


def _is_old_news(health: Health, value: int) -> bool:
    """Whether an echo says again what is known: of a host that is down, or not measured."""
    if health.state is DOWN:
        return NOT_MEASURED < value < 0 and health.tends is DOWN and health.trial is None
    return health.state is UNKNOWN and value <= NOT_MEASURED and health.tends is UNKNOWN


def _line_up(health: Health, echo: Echo) -> Health:
    """Which way the echoes point with this one."""
    due, value, _ = echo
    points = UP if value >= 0 else DOWN if value > NOT_MEASURED else UNKNOWN
    streak, since = 1, due
    if points is UP and health.state is UP:
        streak = 0
    elif points is health.tends and health.streak:
        streak, since = health.streak + 1, health.tends_since
    return Health(
        health.state, health.since, points, since, streak, due, health.reason, health.former,
        value if value >= 0 else health.last_us, health.window, health.trial,
    )  # fmt: skip


def _lose_sight(health: Health, echo: Echo, limits: Limits) -> Verdict:
    if health.state is UNKNOWN or not _is_row(health, echo, limits):
        return health, None
    former = health.state if health.state in BAD else None
    unknown, change = _settle(health, UNKNOWN, health.tends_since)
    return replace(unknown, reason=health.reason, former=former), change


def _come_back(health: Health, former: State, echo: Echo, marks: Marks, limits: Limits) -> Verdict:
    """It is measured again, and is as it was until the contrary is certain, to which this echo counts."""
    known, change = _settle(health, former, echo.due)
    trial = None if _recovers_by_row(health, former) else go_on(None, echo, marks, limits)
    window = slide(EMPTY, echo, marks, limits) if marks[0] and limits.down and former is not DOWN else None
    return replace(known, reason=health.reason, trial=trial, window=window), change


def _judge_bad(health: Health, echo: Echo, marks: Marks, limits: Limits) -> Verdict:
    """It is worse, or it recovers, or neither is certain."""
    if _recovers_by_row(health, health.state):
        recovers = health.tends is UP and _is_row(health, echo, limits)
        return _settle(health, UP, health.tends_since) if recovers else (health, None)
    window = health.window
    if health.state is not DOWN:
        fallen, change = _look_for_fall(health, echo, marks, limits)
        if change:
            return fallen, change
        if marks[0] and limits.down:
            window = slide(window or EMPTY, echo, marks, limits)
    trial = go_on(health.trial, echo, marks, limits)
    if trial and trial.lasted >= limits.window_us:
        return _settle(health, UP, trial.since)
    return _keep(health, window, trial), None


def _look_for_fall(health: Health, echo: Echo, marks: Marks, limits: Limits) -> Verdict:
    """Whether a row of lost echoes, or with them a window, makes it down."""
    if health.tends is not DOWN:
        return health, None
    if limits.in_row and _is_row(health, echo, limits):
        return _settle(health, DOWN, health.tends_since, LOST_IN_ROW, health.streak, limits.in_row)
    if not limits.down:
        return health, None
    window = slide(health.window or EMPTY, echo, marks, limits)
    if broken := find_broken(window, 0, limits.down, limits):
        return _settle(health, DOWN, broken.since, DOWN_LOSS, broken.value, limits.down_loss)
    return health, None


def _look_for_onset(health: Health, echo: Echo, marks: Marks, limits: Limits) -> Verdict:
    """Whether it becomes bad, by a row of lost echoes or by a window."""
    fallen, change = _look_for_fall(health, echo, marks, limits)
    if change or marks == NONE:
        return fallen, change
    window = slide(health.window or EMPTY, echo, marks, limits)
    for rule, bound in enumerate(limits.bounds):
        if bound and (broken := find_broken(window, rule, bound, limits)):
            limit = (limits.loss, limits.p95_us, limits.median_us, limits.jitter_us)[rule]
            return _settle(health, State.DEGRADED, broken.since, RULES[rule], broken.value, limit)
    return _keep(health, window, None), None


def _recovers_by_row(health: Health, state: State) -> bool:
    return state is DOWN and health.reason != DOWN_LOSS


def _is_row(health: Health, echo: Echo, limits: Limits) -> bool:
    """Whether the last echoes that agree are enough of them, over long enough, to be sure."""
    return health.streak >= (limits.in_row or ENOUGH) and echo.due - health.tends_since >= limits.over_us


def _keep(health: Health, window: Window | None, trial: Trial | None) -> Health:
    # By hand: `dataclasses.replace` takes three times as long, and a bad host pays it with every echo.
    return Health(
        health.state, health.since, health.tends, health.tends_since, health.streak, health.seen, health.reason,
        health.former, health.last_us, window, trial,
    )  # fmt: skip


def _settle(
    health: Health, state: State, at: int, reason: str = "", value: float | None = None, limit: float | None = None
) -> Verdict:
    """It is so since then: what was counted towards this is forgotten, and a row goes on."""
    # The echo that makes a recovery certain may be lost, and the first of a row.
    streak = 0 if state is health.tends is UP else health.streak
    settled = Health(
        state, at, health.tends, health.tends_since, streak, health.seen, reason, last_us=health.last_us
    )  # fmt: skip
    return settled, Change(health.state, state, at, reason, value, limit, health.seen)
