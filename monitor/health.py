"""Pure rules of health: up, down, not measured; what one echo changes about that."""

import enum
from dataclasses import dataclass, replace

from monitor.ping.reply import Reply, Status

# One lost packet is no outage: so many in a row, over so long (µs), are.
ENOUGH = 5
LONG = 5_000_000


class State(enum.StrEnum):
    """How a host is; the values go on the wire."""

    STARTING = "starting"
    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    NOT_MEASURED = "not_measured"
    PAUSED = "paused"
    MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True)
class Health:
    """How a host is and since when, and which way the last echoes point; times are µs since the Unix epoch.

    `tends` is what the last `streak` echoes agree on, the first of which was due at `tends_since`. `answered_at` is
    when the newest echo that was answered was due.
    """

    state: State = State.STARTING
    since: int = 0
    tends: State = State.STARTING
    tends_since: int = 0
    streak: int = 0
    answered_at: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """A host is no longer as it was; `at` is when that began, which is before it was certain."""

    before: State
    after: State
    at: int


Verdict = tuple[Health, Change | None]


def judge(health: Health, reply: Reply, due: int) -> Verdict:
    """The health after an echo that was due then (µs). Replies may come in any order: what is known of an echo only
    after a later one was answered says nothing about now."""
    if reply.note or due < health.answered_at:
        return health, None
    points = _read(reply)
    if points is health.tends and health.streak:
        health = replace(health, streak=health.streak + 1)
    else:
        health = replace(health, tends=points, tends_since=due, streak=1)
    if points is State.UP:
        return _settle(replace(health, answered_at=due), State.UP, health.tends_since)
    if health.streak >= ENOUGH and due - health.tends_since >= LONG:
        return _settle(health, points, health.tends_since)
    return health, None


def declare(health: Health, state: State, at: int) -> Verdict:
    """The health when something other than an echo decides it: paused, not to be measured, starting again."""
    verdict = _settle(health, state, at)
    return replace(verdict[0], tends=state, tends_since=at, streak=0), verdict[1]


def _read(reply: Reply) -> State:
    if reply.status is Status.REPLY:
        return State.UP
    return State.DOWN if reply.measured else State.NOT_MEASURED


def _settle(health: Health, state: State, since: int) -> Verdict:
    if state is health.state:
        return health, None
    return replace(health, state=state, since=since), Change(health.state, state, since)
