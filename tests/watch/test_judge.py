"""The judge beside a slow, obvious model of what the rules say, on whatever may come."""

from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from monitor.health import LOST, NOT_MEASURED, Change, Echo, Health, Limits, State, declare, judge
from monitor.stretches import bridge, skim

SECOND = 1_000_000
MILLION = 1_000_000
BAD = (State.DEGRADED, State.DOWN)
RULES = ("loss", "p95", "median", "jitter")
Known = tuple[Echo, State, dict[str, int]]


def bounds(limits: Limits) -> dict[str, int]:
    """What a whole window comes to, for each second of it, where each rule is just broken."""
    found = {"loss": round((limits.loss or 0) * MILLION), "jitter": limits.jitter_us or 0}
    found["p95"] = 50_000 if limits.p95_us is not None else 0
    found["median"] = 500_000 if limits.median_us is not None else 0
    return {name: bound for name in RULES if (bound := found[name])}


@dataclass
class Model:
    """Keeps everything, and looks through all of it at each echo."""

    limits: Limits
    state: State = State.STARTING
    reason: str = ""
    former: State | None = None
    log: list[Known] = field(default_factory=list)
    anew: int = 0

    def take(self, echo: Echo) -> Change | None:
        kind = State.UP if echo.value >= 0 else State.DOWN if echo.value > NOT_MEASURED else State.NOT_MEASURED
        self.log.append((echo, kind, self.weigh(echo)))
        return self.decide(echo, kind)

    def weigh(self, echo: Echo) -> dict[str, int]:
        answers = [known.value for known, _, _ in self.log if known.value >= 0]
        change = abs(echo.value - answers[-1]) if echo.value >= 0 and answers else 0
        limits, back = self.limits, echo.value >= 0
        return {
            "loss": echo.weight * MILLION if NOT_MEASURED < echo.value < 0 else 0,
            "p95": echo.weight * MILLION if back and limits.p95_us is not None and echo.value >= limits.p95_us else 0,
            "median": echo.weight * MILLION
            if back and limits.median_us is not None and echo.value >= limits.median_us
            else 0,
            "jitter": change * echo.weight if limits.jitter_us else 0,
        }

    def decide(self, echo: Echo, kind: State) -> Change | None:
        row = self.row(kind)
        sure = len(row) >= (self.limits.in_row or 5) and echo.due - row[0].due >= self.limits.over_us
        if kind is State.NOT_MEASURED:
            if not sure or self.state is kind:
                return None
            return self.become(kind, row[0].due, former=self.state if self.state in BAD else None, keep=self.reason)
        if self.state is State.NOT_MEASURED and self.former:
            change = self.become(self.former, echo.due, keep=self.reason)
            # The echo that brings it back is the first that may end it.
            self.anew = len(self.log) - 1
            return change
        if self.state not in BAD and kind is State.UP and self.state is not State.UP:
            return self.become(State.UP, echo.due)
        if self.state is State.DOWN and self.reason != "down_loss":
            return self.become(State.UP, row[0].due) if kind is State.UP and sure else None
        if self.state is not State.DOWN and (change := self.fall(row if kind is State.DOWN and sure else None)):
            return change
        return self.recover() if self.state in BAD else self.degrade()

    def fall(self, row: list[Echo] | None) -> Change | None:
        if row and self.limits.in_row:
            return self.become(State.DOWN, row[0].due, "lost_in_row", len(row), self.limits.in_row)
        down = round((self.limits.down_loss or 0) * MILLION)
        if down and (since := self.broken("loss", down)):
            return self.become(State.DOWN, since[0].due, "down_loss", self.share("loss"), self.limits.down_loss)
        return None

    def degrade(self) -> Change | None:
        for name, bound in bounds(self.limits).items():
            if bad := self.broken(name, bound):
                limits = {
                    "loss": self.limits.loss,
                    "p95": self.limits.p95_us,
                    "median": self.limits.median_us,
                    "jitter": self.limits.jitter_us,
                }
                if name in ("p95", "median"):
                    enough = bound * self.limits.window_us
                    times = sorted((each.value for each in bad), reverse=True)
                    weights = {
                        value: sum(each.weight * MILLION for each in bad if each.value >= value) for value in times
                    }
                    value: float = next((value for value in times if weights[value] >= enough), times[-1])
                else:
                    value = self.share(name)
                return self.become(State.DEGRADED, bad[0].due, name, value, limits[name])
        return None

    def recover(self) -> Change | None:
        after = [known for known in self.log[self.anew :] if known[1] is not State.NOT_MEASURED]
        for start, (first, kind, weights) in enumerate(after):
            good = kind is State.UP and all(weights[name] < bound * first.weight for name, bound in self.clear())
            if good and self.holds(after[start:]):
                return self.become(State.UP, first.due)
        return None

    def holds(self, known: list[Known]) -> bool:
        """Whether these are a whole window, no beginning of which reaches a bound."""
        for end in range(1, len(known) + 1):
            part = known[:end]
            lasted = sum(echo.weight for echo, _, _ in part)
            if any(sum(weights[name] for _, _, weights in part) >= bound * lasted for name, bound in self.clear()):
                return False
        return lasted >= self.limits.window_us

    def clear(self) -> list[tuple[str, int]]:
        down = round((self.limits.down_loss or 0) * MILLION)
        found = bounds(self.limits)
        return list(({"loss": down} if down and "loss" not in found else {}).items()) + list(found.items())

    def window(self) -> list[Known]:
        start = self.log[-1][0].due - self.limits.window_us
        return [known for known in self.log[self.anew :] if known[0].due > start]

    def broken(self, name: str, bound: int) -> list[Echo]:
        """The bad echoes of a window that is broken by its last."""
        window = self.window()
        bad = [echo for echo, _, weights in window if weights[name] >= bound * echo.weight and weights[name]]
        enough = sum(weights[name] for _, _, weights in window) >= bound * self.limits.window_us
        return bad if enough and len(bad) >= 3 and bad[-1] is self.log[-1][0] else []

    def share(self, name: str) -> float:
        total = sum(weights[name] for _, _, weights in self.window()) / self.limits.window_us
        return total if name == "jitter" else total / MILLION

    def row(self, kind: State) -> list[Echo]:
        row: list[Echo] = []
        for echo, other, _ in reversed(self.log):
            if other is not kind:
                break
            row.insert(0, echo)
        return row

    def become(
        self,
        state: State,
        at: int,
        reason: str = "",
        value: float | None = None,
        limit: float | None = None,
        *,
        former: State | None = None,
        keep: str = "",
    ) -> Change:
        change = Change(self.state, state, at, reason, value, limit)
        self.state, self.reason, self.former, self.anew = state, reason or keep, former, len(self.log)
        return change


LIMITS = st.builds(
    Limits,
    in_row=st.none() | st.integers(1, 6),
    over_us=st.sampled_from([0, SECOND, 5 * SECOND]),
    down_loss=st.sampled_from([None, 0.3, 0.5, 1.0]),
    loss=st.sampled_from([None, 0.05, 0.1, 0.25]),
    p95_us=st.sampled_from([None, 3000]),
    median_us=st.sampled_from([None, 2000]),
    jitter_us=st.sampled_from([None, 500, 1500]),
    window_us=st.sampled_from([10 * SECOND, 20 * SECOND, 40 * SECOND]),
)
VALUES = st.sampled_from([LOST, LOST, -5, NOT_MEASURED, -18, 1000, 1000, 1000, 1999, 2500, 3000, 9000])
# Runs of one value: what the world is like.
HISTORIES = st.lists(
    st.tuples(VALUES, st.integers(1, 25), st.sampled_from([SECOND // 5, SECOND, SECOND, 3 * SECOND])), max_size=14
)


def unroll(runs: list[tuple[int, int, int]]) -> list[Echo]:
    echoes, due = [], SECOND
    for value, number, interval in runs:
        for _ in range(number):
            echoes.append(Echo(due, value, interval))
            due += interval
    return echoes


def live(echoes: list[Echo], limits: Limits, health: Health | None = None) -> tuple[Health, list[Change]]:
    health, changes = health or Health(), []
    for echo in echoes:
        health, change = judge(health, echo, limits)
        changes += [change] if change else []
    return health, changes


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(HISTORIES, LIMITS)
def test_the_judge_and_the_model_agree_on_every_change(runs: list[tuple[int, int, int]], limits: Limits) -> None:
    model, health = Model(limits), Health()
    for echo in unroll(runs):
        health, change = judge(health, echo, limits)
        assert change == model.take(echo)
        assert change is None or change.sure_at == echo.due
        assert health.state is model.state


@settings(max_examples=60, deadline=None)
@given(HISTORIES, LIMITS)
def test_changes_follow_one_another_and_lie_in_the_past(runs: list[tuple[int, int, int]], limits: Limits) -> None:
    health, before = Health(), Change(State.STARTING, State.STARTING, 0)
    for echo in unroll(runs):
        health, change = judge(health, echo, limits)
        if change:
            assert change.before is before.after is not change.after
            assert before.at <= change.at <= echo.due
            assert (health.state, health.since) == (change.after, change.at)
            before = change


@settings(max_examples=150, deadline=None)
@given(st.lists(st.builds(Echo, st.integers(), st.integers(), st.integers()), max_size=40), LIMITS)
def test_no_numbers_make_it_raise_and_none_is_taken_twice(echoes: list[Echo], limits: Limits) -> None:
    health = Health()
    for echo in echoes:
        health, _ = judge(health, echo, limits)
        if echo.due <= health.seen:
            assert judge(health, echo, limits) == (health, None)


@settings(max_examples=100, deadline=None)
@given(HISTORIES, LIMITS, st.randoms(use_true_random=False))
def test_in_the_order_due_it_does_not_matter_in_which_they_came(
    runs: list[tuple[int, int, int]], limits: Limits, chance: object
) -> None:
    echoes = unroll(runs)
    came = list(echoes)
    chance.shuffle(came)  # type: ignore[attr-defined]
    assert live(sorted(came), limits) == live(echoes, limits)


@settings(max_examples=60, deadline=None)
@given(HISTORIES, LIMITS, st.integers(0, 350))
def test_to_stop_and_go_on_is_the_same_as_to_go_on(runs: list[tuple[int, int, int]], limits: Limits, cut: int) -> None:
    echoes = unroll(runs)
    health, first = live(echoes[:cut], limits)
    health, rest = live(echoes[cut:], limits, health)
    assert (health, first + rest) == live(echoes, limits)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(HISTORIES, LIMITS, st.lists(LIMITS, max_size=3), st.randoms(use_true_random=False))
def test_to_skim_is_to_judge_echo_by_echo(
    runs: list[tuple[int, int, int]], limits: Limits, others: list[Limits], chance: Random
) -> None:
    health = plain = Health()
    due = SECOND
    for value, number, interval in runs:
        # The rules may be others from one run to the next, as what is usual is by the hour.
        limits = chance.choice([limits, limits, *others])
        values = [value if chance.random() < 0.7 else chance.choice([LOST, 1000, 2500, 9000]) for _ in range(number)]
        at = 0
        while at < number:
            before = health.state
            health, count = skim(health, due + at * interval, interval, values[at:], limits)
            assert health.state is before
            if at + count < number:
                health, _ = judge(health, Echo(due + (at + count) * interval, values[at + count], interval), limits)
            for place in range(at, min(at + count + 1, number)):
                plain, _ = judge(plain, Echo(due + place * interval, values[place], interval), limits)
            assert health == plain
            at += count + 1
        due += number * interval


@settings(max_examples=60, deadline=None)
@given(HISTORIES, LIMITS, st.integers(2, 60), VALUES)
def test_echoes_that_are_missing_were_not_measured(
    runs: list[tuple[int, int, int]], limits: Limits, missing: int, value: int
) -> None:
    echoes = unroll(runs) or [Echo(SECOND, LOST, SECOND)]
    health, _ = live(echoes, limits)
    until = echoes[-1].due + echoes[-1].weight
    unmeasured = [Echo(until + place * SECOND, NOT_MEASURED, SECOND) for place in range(missing)]
    after, changes = live(unmeasured, limits, health)
    bridged, change = bridge(health, until, Echo(until + missing * SECOND, value, SECOND), limits)
    assert (bridged, [change] if change else []) == (after, changes)
    near = Echo(until + SECOND * 3 // 2, value, SECOND)
    assert bridge(health, until, near, limits) == (health, None)


@pytest.mark.parametrize("jitter_us", [None, 6000])
def test_degraded_for_long_is_skimmed_in_few_steps(jitter_us: int | None) -> None:
    """The property above holds for a shortcut that is never taken, too."""
    values = [LOST if second % 10 == 3 else 9000 if second % 7 == 0 else 1000 for second in range(3000)]
    limits = Limits(p95_us=3000, jitter_us=jitter_us, window_us=60 * SECOND)
    health, changes = live([Echo((1 + second) * SECOND, value, SECOND) for second, value in enumerate(values)], limits)
    assert [change.after for change in changes] == [State.UP, State.DEGRADED]
    again, count = skim(health, 3001 * SECOND, SECOND, values, limits)
    assert (again.state, count) == (State.DEGRADED, 3000)


class Living(RuleBasedStateMachine):
    """A host that is measured at changing rates, paused, and not to be asked for a while."""

    @initialize(limits=LIMITS)
    def start(self, limits: Limits) -> None:
        self.limits, self.model, self.health, self.due = limits, Model(limits), Health(), SECOND

    @rule(value=VALUES, number=st.integers(1, 30), interval=st.sampled_from([SECOND // 5, SECOND, 3 * SECOND]))
    def ask(self, value: int, number: int, interval: int) -> None:
        for _ in range(number):
            echo = Echo(self.due, value, interval)
            self.due += interval
            self.health, change = judge(self.health, echo, self.limits)
            expected = None if self.model.state is State.PAUSED else self.model.take(echo)
            assert change == expected
            assert self.health.state is self.model.state

    @rule(state=st.sampled_from([State.PAUSED, State.STARTING, State.NOT_MEASURED]))
    def say(self, state: State) -> None:
        before, self.due = self.model.state, self.due + SECOND
        bad = before if before in BAD else self.model.former
        former = bad if state is State.NOT_MEASURED else None
        self.model = Model(self.limits, state, self.model.reason if former else "", former)
        self.health, change = declare(self.health, state, self.due - SECOND // 2)
        assert (change is None) == (before is state)


Living.TestCase.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
TestLiving = Living.TestCase
