"""Judges stretches of echoes at once: those that are known to change no state, and those that are missing."""

from collections.abc import Sequence

from monitor.health import NOT_MEASURED, Echo, Health, Limits, State, Verdict, judge
from monitor.shares import Trial, sweep, sweep_changes

# Where more than so many halves of an interval passed without one, nobody asked: another interval moves one by less.
MISSING_HALVES = 3


def misses(until: int, due: int, weight: int) -> bool:
    """Whether echoes are missing between the end of one and the next: in whole milliseconds, as packets are kept, so
    that it is the same when they are judged again."""
    return 2 * (due // 1000 - until // 1000) > MISSING_HALVES * (weight // 1000) and weight > 0


def bridge(health: Health, until: int, echo: Echo, limits: Limits) -> Verdict:
    """The health just before an echo, where the one before was over at `until`: those that are missing in between were
    not measured."""
    due, _, weight = echo
    if not misses(until, due, weight):
        return health, None
    for missing in range(until, due - weight // 2, weight):
        before = health
        health, change = judge(health, Echo(missing, NOT_MEASURED, weight), limits)
        # What follows is old news; what came before `seen` is older.
        if change or (health is before and missing > health.seen):
            return health, change
    return health, None


def skim(health: Health, due: int, weight: int, values: Sequence[int], limits: Limits) -> tuple[Health, int]:
    """What `judge` makes of echoes at one interval, the first due then, up to the one before the first of which that is
    not known at once; and how many those are. None of them changes a state."""
    if health.state is State.UP and not health.streak:
        return health, _count_leading(values, 0, limits.calm_us)
    if health.state is not State.DEGRADED or due <= health.seen or weight <= 0:
        return health, 0
    if count := _count_harmless(health, values, limits):
        if limits.jitter_us:
            trial, count = sweep_changes(health.trial, due, weight, values[:count], limits, health.last_us)
        else:
            trial, count = sweep(health.trial, due, weight, values[:count], limits)
    return (_line_up_all(health, due, weight, values[:count], trial), count) if count else (health, 0)


def _count_leading(values: Sequence[int], least: int, end: int) -> int:
    return next((place for place, value in enumerate(values) if not least <= value < end), len(values))


def _count_harmless(health: Health, values: Sequence[int], limits: Limits) -> int:
    """How many echoes of a host that is degraded go by before one that may make it down, or was not measured."""
    row = health.streak if health.tends is State.DOWN else 0
    most = 0 if limits.down else limits.in_row or 1 << 62
    for place, value in enumerate(values):
        row = row + 1 if value < 0 else 0
        if row and (row >= most or value <= NOT_MEASURED):
            return place
    return len(values)


def _line_up_all(health: Health, due: int, weight: int, values: Sequence[int], trial: Trial | None) -> Health:
    """Which way the echoes point after measured ones, at least one, of a host that is degraded."""
    lost, first = values[-1] < 0, len(values) - 1
    while first and (values[first - 1] < 0) is lost:
        first -= 1
    tends, streak, since = State.DOWN if lost else State.UP, len(values) - first, due + first * weight
    if not first and tends is health.tends and health.streak:
        streak, since = streak + health.streak, health.tends_since
    last_us = next((value for value in reversed(values) if value >= 0), health.last_us)
    return Health(
        health.state, health.since, tends, since, streak, due + (len(values) - 1) * weight, health.reason,
        health.former, last_us, health.window, trial,
    )  # fmt: skip
