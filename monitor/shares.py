"""What share of a window was bad, by each rule on one: pure, exact, and in seconds of time rather than packets.

So neither half a window nor a faster rate while somebody looks cries wolf.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

# What an echo came to, as `monitor.packing` has it: a round trip in µs, lost from here on, not measured from here on.
LOST = -1
NOT_MEASURED = -16
# Shares are whole millionths, so that sums are exact.
MILLION = 1_000_000
P95, MEDIAN = 50_000, 500_000
# So many bad echoes at least make a window bad, however long they stand for.
FEWEST = 3

# How bad an echo is by each rule on a window, weighed by time, or the bound of each: loss in millionths, slower than
# the limit of the 95th percentile and of the median in millionths, and µs of change from one answer to the next.
RULES = ("loss", "p95", "median", "jitter")
Marks = tuple[int, int, int, int]
NONE: Marks = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Limits:
    """The rules of one host at one time; None: that rule is off. Times are µs, shares 0 to 1.

    Down: `in_row` lost in a row, the last at least `over_us` after the first; or `down_loss` of the window lost.
    Degraded: `loss` of the window lost, 5 % of it at or above `p95_us`, half of it at or above `median_us`, or a mean
    change from one answer to the next of `jitter_us`.
    """

    in_row: int | None = 5
    over_us: int = 5_000_000
    down_loss: float | None = None
    loss: float | None = 0.05
    p95_us: int | None = None
    median_us: int | None = None
    jitter_us: int | None = None
    window_us: int = 300_000_000
    # Round trips below this are good by every rule, and by every other than that on jitter; the bounds of the rules, 0
    # where off; those of a recovery.
    calm_us: int = field(init=False, repr=False, compare=False)
    even_us: int = field(init=False, repr=False, compare=False)
    bounds: Marks = field(init=False, repr=False, compare=False)
    clear: Marks = field(init=False, repr=False, compare=False)
    down: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        slow = [limit for limit in (self.p95_us, self.median_us) if limit is not None]
        loss, down = round((self.loss or 0) * MILLION), round((self.down_loss or 0) * MILLION)
        rest = (P95 * (self.p95_us is not None), MEDIAN * (self.median_us is not None), self.jitter_us or 0)
        even = min(slow, default=1 << 62)
        object.__setattr__(self, "calm_us", 0 if self.jitter_us else even)
        object.__setattr__(self, "even_us", even)
        object.__setattr__(self, "bounds", (loss, *rest))
        object.__setattr__(self, "clear", (loss or down, *rest))
        object.__setattr__(self, "down", down)


class Echo(NamedTuple):
    """What came of one echo: when it was due (µs since 1970), its value, and how long it stands for (µs)."""

    due: int
    value: int
    weight: int


class Bad(NamedTuple):
    """An echo in a window, with its marks."""

    echo: Echo
    marks: Marks


class Window(NamedTuple):
    """The marked echoes of a window, oldest first, and the sums of their marks."""

    echoes: tuple[Bad, ...] = ()
    sums: Marks = NONE


EMPTY = Window()


class Broken(NamedTuple):
    """A rule on a window is broken: since when, and what it came to, a share or µs."""

    since: int
    value: float


class Trial(NamedTuple):
    """A recovery that is not certain yet: its first echo, how long (µs) it has lasted, and the sums of what its marks
    are above the bounds, which stay below 0."""

    since: int
    lasted: int = 0
    excess: Marks = NONE


def mark(echo: Echo, last_us: int | None, limits: Limits) -> Marks:
    """The marks of a measured echo; `last_us` is the answer before it."""
    _, value, weight = echo
    if value < 0:
        return weight * MILLION, 0, 0, 0
    slow = weight * MILLION if limits.p95_us is not None and value >= limits.p95_us else 0
    sluggish = weight * MILLION if limits.median_us is not None and value >= limits.median_us else 0
    change = abs(value - last_us) * weight if limits.jitter_us and last_us is not None else 0
    return 0, slow, sluggish, change


def slide(window: Window, echo: Echo, marks: Marks, limits: Limits) -> Window:
    """The window that ends with an echo."""
    echoes, sums, over = window.echoes, window.sums, 0
    start = echo.due - limits.window_us
    while over < len(echoes) and echoes[over].echo.due <= start:
        sums = _subtract(sums, echoes[over].marks)
        over += 1
    return Window((*echoes[over:], Bad(echo, marks)), _add(sums, marks))


def find_broken(window: Window, rule: int, bound: int, limits: Limits) -> Broken | None:
    """Whether a window has reached the bound (above 0) of a rule, by at least three bad echoes, the first of which is
    where it began. It can have done so only with a bad echo."""
    if not is_bad(window.echoes[-1], rule, bound) or window.sums[rule] < bound * limits.window_us:
        return None
    bad = [each for each in window.echoes if is_bad(each, rule, bound)]
    if len(bad) < FEWEST:
        return None
    value = window.sums[rule] / limits.window_us
    if rule == 0:
        value /= MILLION
    elif RULES[rule] != "jitter":
        value = _find_slowest(bad, rule, bound * limits.window_us)
    return Broken(bad[0].echo.due, value)


def is_bad(bad: Bad, rule: int, bound: int) -> bool:
    """Whether an echo by itself reaches the bound of a rule."""
    return bad.marks[rule] >= bound * bad.echo.weight > 0


def go_on(trial: Trial | None, echo: Echo, marks: Marks, limits: Limits) -> Trial | None:
    """A recovery after one more measured echo; None where no echo so far can be its first. The first that none of the
    rules finds bad is, until from there to any later one a rule is broken: then it is from none of those between."""
    if trial is None:
        if echo.value < 0 or any(is_bad(Bad(echo, marks), rule, bound) for rule, bound in enumerate(limits.clear)):
            return None
        trial = Trial(echo.due)
    weight, excess = echo.weight, list(trial.excess)
    for rule, bound in enumerate(limits.clear):
        if bound:
            excess[rule] += marks[rule] - bound * weight
            if excess[rule] >= 0:
                return None
    return Trial(trial.since, trial.lasted + weight, (excess[0], excess[1], excess[2], excess[3]))


def sweep(
    trial: Trial | None, due: int, weight: int, values: Sequence[int], limits: Limits
) -> tuple[Trial | None, int]:
    """What `go_on` makes of measured echoes one after the other, the first due then, up to the one before a recovery is
    certain; and how many those are. There may be no rule on jitter."""
    edges, gains = _list_gains(weight, limits)
    since, lasted, (loss, slow, sluggish, jitter) = trial or (None, 0, NONE)
    bad = [place for place, value in enumerate(values) if not 0 <= value < limits.calm_us]
    calm_loss, calm_slow, calm_sluggish, _ = gains[1]
    at = 0
    for place in (*bad, len(values)):
        if at < place:
            if since is None:
                since, lasted, loss, slow, sluggish, jitter = due + at * weight, 0, 0, 0, 0, 0
            # Good ones only lower the sums: as many as do not make it certain, in one step.
            calm = min(place - at, max(0, limits.window_us - 1 - lasted) // weight)
            lasted, at = lasted + calm * weight, at + calm
            loss, slow, sluggish = loss + calm * calm_loss, slow + calm * calm_slow, sluggish + calm * calm_sluggish
        if at < place or at == len(values) or (since is not None and lasted + weight >= limits.window_us):
            break
        at += 1
        if since is not None:
            more_loss, more_slow, more_sluggish, _ = gains[bisect_right(edges, values[place])]
            lasted, loss, slow, sluggish = lasted + weight, loss + more_loss, slow + more_slow, sluggish + more_sluggish
            if loss >= 0 < more_loss or slow >= 0 < more_slow or sluggish >= 0 < more_sluggish:
                since = None
    return None if since is None else Trial(since, lasted, (loss, slow, sluggish, jitter)), at


def sweep_changes(
    trial: Trial | None, due: int, weight: int, values: Sequence[int], limits: Limits, last_us: int | None
) -> tuple[Trial | None, int]:
    """The same where there is a rule on jitter; `last_us` is the answer before the first."""
    edges, gains = _list_gains(weight, limits)
    bound, at = limits.jitter_us or 0, 0
    since, lasted, (loss, slow, sluggish, jitter) = trial or (None, 0, NONE)
    for at, value in enumerate(values):
        if lasted + weight >= limits.window_us:
            break
        change = 0
        if value >= 0:
            change, last_us = 0 if last_us is None else abs(value - last_us), value
        if since is None:
            if not 0 <= value < limits.even_us or change >= bound:
                continue
            since, loss, slow, sluggish, jitter = due + at * weight, 0, 0, 0, 0
        more_loss, more_slow, more_sluggish, _ = gains[bisect_right(edges, value)]
        lasted, jitter = lasted + weight, jitter + (change - bound) * weight
        loss, slow, sluggish = loss + more_loss, slow + more_slow, sluggish + more_sluggish
        if (
            loss >= 0 < more_loss
            or slow >= 0 < more_slow
            or sluggish >= 0 < more_sluggish
            or jitter >= 0 < change - bound
        ):
            since, lasted = None, 0
    else:
        at = len(values)
    return None if since is None else Trial(since, lasted, (loss, slow, sluggish, jitter)), at


@lru_cache(maxsize=1024)
def _list_gains(weight: int, limits: Limits) -> tuple[list[int], list[Marks]]:
    """What an echo adds to the sums of a recovery, by where its value lies among edges: lost, good, slow, slower."""
    edges = [0, *sorted({limit for limit in (limits.p95_us, limits.median_us) if limit is not None})]
    gains = [mark(Echo(0, value, weight), None, limits) for value in (LOST, *edges)]
    costs = [bound * weight for bound in limits.clear]
    return edges, [
        (marks[0] - costs[0] if costs[0] else 0, marks[1] - costs[1], marks[2] - costs[2], 0) for marks in gains
    ]


def _find_slowest(bad: list[Bad], rule: int, enough: int) -> int:
    """The round trip that so much of the window did not go below."""
    for each in sorted(bad, key=lambda each: -each.echo.value):
        enough -= each.marks[rule]
        if enough <= 0:
            break
    return each.echo.value


def _add(sums: Marks, marks: Marks) -> Marks:
    return sums[0] + marks[0], sums[1] + marks[1], sums[2] + marks[2], sums[3] + marks[3]


def _subtract(sums: Marks, marks: Marks) -> Marks:
    return sums[0] - marks[0], sums[1] - marks[1], sums[2] - marks[2], sums[3] - marks[3]
