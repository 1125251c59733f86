"""The rules of up, degraded, down and not measured, example by example."""

import pytest

from monitor import packing
from monitor.health import LOST, NOT_MEASURED, Change, Echo, Health, Limits, State, declare, judge

SECOND = 1_000_000
MINUTE = 60 * SECOND
GOOD = 1000
LOSS_ONLY = Limits(in_row=None)


def live(
    *values: int, interval: int = SECOND, health: Health | None = None, limits: Limits | None = None
) -> tuple[Health, list[Change]]:
    """The health after echoes that were due an interval apart, the first a second after what is known."""
    health, changes = health or Health(), []
    start = health.seen + SECOND
    for place, value in enumerate(values):
        health, change = judge(health, Echo(start + place * interval, value, interval), limits or Limits())
        changes += [change] if change else []
    return health, changes


def spread(bad: int, number: int, value: int = LOST) -> list[int]:
    """A bad echo and then good ones, so often."""
    return [value, *[GOOD] * (bad - 1)] * number


def test_the_numbers_are_those_on_disk() -> None:
    assert (LOST, NOT_MEASURED) == (packing.LOST, packing.NOT_MEASURED)


def test_the_first_answer_makes_a_host_up() -> None:
    health, changes = live(GOOD)
    assert (health.state, health.since) == (State.UP, SECOND)
    assert changes == [Change(State.STARTING, State.UP, SECOND)]


@pytest.mark.parametrize("lost", range(1, 5))
def test_a_few_lost_packets_are_no_outage(lost: int) -> None:
    health, changes = live(GOOD, *[LOST] * lost, GOOD)
    assert health.state is State.UP
    assert len(changes) == 1


def test_five_lost_over_five_seconds_are_an_outage_that_began_with_the_first_of_them() -> None:
    health, changes = live(GOOD, *[LOST] * 6)
    assert health.state is State.DOWN
    assert changes[1] == Change(State.UP, State.DOWN, 2 * SECOND, "lost_in_row", 6, 5)
    assert health.since == 2 * SECOND


def test_five_lost_in_one_second_are_no_outage_yet() -> None:
    assert live(GOOD, *[LOST] * 6, interval=SECOND // 5)[0].state is State.UP
    assert live(GOOD, *[LOST] * 26, interval=SECOND // 5)[0].state is State.DOWN


def test_an_outage_ends_at_the_first_of_five_answers_over_five_seconds() -> None:
    down, _ = live(*[LOST] * 6)
    assert live(*[GOOD] * 5, health=down)[0].state is State.DOWN
    health, changes = live(*[GOOD] * 6, health=down)
    assert changes == [Change(State.DOWN, State.UP, 7 * SECOND)]
    assert (health.state, health.since) == (State.UP, 7 * SECOND)
    assert live(*[GOOD] * 5, LOST, *[GOOD] * 6, health=down)[0].since == 13 * SECOND


@pytest.mark.parametrize("code", [code for code in packing.Code if code > NOT_MEASURED])
def test_every_way_to_lose_a_packet_counts(code: int) -> None:
    assert live(GOOD, *[LOST, code] * 3)[0].state is State.DOWN


@pytest.mark.parametrize("code", [code for code in packing.Code if code <= NOT_MEASURED])
def test_what_could_not_be_asked_is_not_measured_and_no_outage(code: int) -> None:
    health, changes = live(GOOD, *[code] * 6)
    assert health.state is State.NOT_MEASURED
    assert changes[-1] == Change(State.UP, State.NOT_MEASURED, 2 * SECOND)
    assert live(GOOD, health=health)[1] == [Change(State.NOT_MEASURED, State.UP, 8 * SECOND)]


def test_not_measured_breaks_a_row_of_lost_ones() -> None:
    assert live(GOOD, *[LOST] * 4, NOT_MEASURED, *[LOST] * 4)[0].state is State.UP


def test_a_host_that_was_down_goes_on_so_when_it_is_measured_again() -> None:
    down, _ = live(*[LOST] * 6)
    unknown, _ = live(*[NOT_MEASURED] * 6, health=down)
    assert (unknown.state, unknown.former) == (State.NOT_MEASURED, State.DOWN)
    again, changes = live(GOOD, health=unknown)
    assert changes == [Change(State.NOT_MEASURED, State.DOWN, 13 * SECOND)]
    assert live(*[GOOD] * 5, health=again)[1] == [Change(State.DOWN, State.UP, 13 * SECOND)]


def test_the_lost_echo_with_which_it_is_measured_again_counts_towards_down_by_loss() -> None:
    limits = Limits(in_row=None, down_loss=0.1)
    degraded, _ = live(GOOD, *[LOST] * 15, limits=limits)
    unknown, _ = live(*[NOT_MEASURED] * 6, health=degraded, limits=limits)
    _, changes = live(*[LOST] * 30, health=unknown, limits=limits)
    assert [(change.after, change.at) for change in changes] == [
        (State.DEGRADED, 23 * SECOND),
        (State.DOWN, 23 * SECOND),
    ]


def test_five_per_cent_lost_of_five_minutes_is_degraded_since_the_first_of_them() -> None:
    assert live(GOOD, *spread(20, 14))[0].state is State.UP
    health, changes = live(GOOD, *spread(20, 15))
    assert changes[1:] == [Change(State.UP, State.DEGRADED, 2 * SECOND, "loss", 0.05, 0.05)]
    assert health.since == 2 * SECOND


def test_four_per_cent_lost_is_not_degraded_however_long() -> None:
    assert live(GOOD, *spread(25, 400))[0].state is State.UP


def test_half_a_window_does_not_cry_wolf() -> None:
    # One in ten lost, but known for two minutes only: 12 s of the 15 that it takes.
    assert live(GOOD, *spread(10, 12))[0].state is State.UP


def test_a_faster_rate_changes_nothing() -> None:
    fast, changes = live(GOOD, *spread(20, 76), interval=SECOND // 5)
    assert changes[1].at == SECOND + SECOND // 5
    assert fast.state is State.DEGRADED
    assert live(GOOD, *spread(20, 74), interval=SECOND // 5)[0].state is State.UP


def test_two_lost_are_never_enough_however_long_they_stand_for() -> None:
    slow = Limits(in_row=None, window_us=20 * MINUTE)
    assert live(GOOD, LOST, LOST, GOOD, interval=MINUTE, limits=slow)[0].state is State.UP
    assert live(GOOD, LOST, LOST, LOST, interval=MINUTE, limits=slow)[0].state is State.DEGRADED


def test_degraded_ends_at_the_first_good_echo_of_a_whole_window_that_keeps_every_rule() -> None:
    degraded, _ = live(GOOD, *[LOST] * 15, limits=LOSS_ONLY)
    assert degraded.state is State.DEGRADED
    assert live(*[GOOD] * 299, health=degraded)[0].state is State.DEGRADED
    _, changes = live(*[GOOD] * 300, health=degraded)
    assert changes == [Change(State.DEGRADED, State.UP, 17 * SECOND)]
    # One in the midst of it is within what is allowed; one at its beginning is not, and it begins anew behind that.
    assert live(*[GOOD] * 150, LOST, *[GOOD] * 149, health=degraded)[1] == changes
    assert live(*[GOOD] * 10, LOST, *[GOOD] * 300, health=degraded)[1][0].at == 28 * SECOND


def test_degraded_may_become_down_which_began_with_the_first_lost_of_the_row() -> None:
    degraded, _ = live(GOOD, *spread(20, 15), GOOD)
    health, changes = live(*[LOST] * 6, health=degraded)
    assert changes == [Change(State.DEGRADED, State.DOWN, degraded.seen + SECOND, "lost_in_row", 6, 5)]
    assert health.state is State.DOWN


def test_the_lost_echo_that_makes_a_recovery_certain_is_the_first_of_a_row() -> None:
    degraded, _ = live(GOOD, *[LOST] * 15, limits=LOSS_ONLY)
    up, changes = live(*[GOOD] * 299, LOST, health=degraded)
    assert changes[0].after is State.UP
    assert live(*[LOST] * 5, health=up)[1][0].at == up.seen


def test_down_by_loss_recovers_only_when_the_loss_is_over() -> None:
    limits = Limits(in_row=None, loss=None, down_loss=0.5)
    health, changes = live(GOOD, *[LOST, GOOD] * 150, limits=limits)
    assert changes[1:] == [Change(State.UP, State.DOWN, 2 * SECOND, "down_loss", 0.5, 0.5)]
    assert live(*[GOOD] * 20, LOST, *[GOOD] * 20, health=health, limits=limits)[0].state is State.DOWN
    assert live(*[GOOD] * 300, health=health, limits=limits)[0].state is State.UP


@pytest.mark.parametrize(
    ("limits", "share", "reason"), [(Limits(p95_us=50_000), 20, "p95"), (Limits(median_us=50_000), 2, "median")]
)
def test_slow_by_a_percentile(limits: Limits, share: int, reason: str) -> None:
    enough = 300 // share
    assert live(GOOD, *spread(share, enough - 1, 70_000), limits=limits)[0].state is State.UP
    health, changes = live(GOOD, *spread(share, enough, 70_000), limits=limits)
    assert changes[1:] == [Change(State.UP, State.DEGRADED, 2 * SECOND, reason, 70_000, 50_000)]
    assert live(*[49_999] * 301, health=health, limits=limits)[0].state is State.UP


def test_jitter_is_the_mean_change_from_one_answer_to_the_next() -> None:
    limits = Limits(jitter_us=10_000)
    assert live(*[1000, 10_999] * 300, limits=limits)[0].state is State.UP
    _, changes = live(*[1000, 11_000] * 151, limits=limits)
    assert changes[1:] == [Change(State.UP, State.DEGRADED, 2 * SECOND, "jitter", 10_000, 10_000)]
    # What is lost lies between neighbours and parts them not.
    assert live(*[1000, LOST, 11_000, LOST] * 151, limits=Limits(jitter_us=5000, loss=None))[0].state is State.DEGRADED


def test_one_spike_is_no_jitter() -> None:
    assert live(*[GOOD] * 300, 60_000_000, *[GOOD] * 300, limits=Limits(jitter_us=10_000))[0].state is State.UP


def test_what_is_declared_starts_the_count_anew() -> None:
    health, _ = live(*[LOST] * 5)
    health, change = declare(health, State.PAUSED, 10 * SECOND)
    assert change == Change(State.STARTING, State.PAUSED, 10 * SECOND)
    health, _ = declare(health, State.STARTING, 11 * SECOND)
    assert live(*[LOST] * 4, health=health)[0].state is State.STARTING


def test_who_is_paused_stays_so_whatever_still_comes() -> None:
    paused, _ = declare(live(GOOD)[0], State.PAUSED, 10 * SECOND)
    assert live(GOOD, *[LOST] * 9, health=paused) == (paused, [])


def test_what_is_so_already_is_no_change() -> None:
    health, _ = declare(Health(), State.PAUSED, SECOND)
    assert declare(health, State.PAUSED, 2 * SECOND)[1] is None


def test_not_to_be_measured_is_no_end_of_an_outage() -> None:
    down, _ = live(*[LOST] * 6)
    unknown, change = declare(down, State.NOT_MEASURED, 20 * SECOND)
    assert change == Change(State.DOWN, State.NOT_MEASURED, 20 * SECOND)
    assert declare(unknown, State.NOT_MEASURED, 30 * SECOND)[0].former is State.DOWN
    assert live(LOST, health=unknown)[0].state is State.DOWN
    assert declare(unknown, State.STARTING, 30 * SECOND)[0].former is None


@pytest.mark.parametrize("values", [[GOOD], [LOST] * 6, [NOT_MEASURED] * 6])
def test_a_steady_host_keeps_the_very_same_health(values: list[int]) -> None:
    health, _ = live(*values)
    assert live(*values, health=health)[0] is health


def test_a_lossy_host_keeps_the_very_same_health_between_its_losses() -> None:
    health, _ = live(GOOD, LOST, GOOD)
    assert health.window
    assert live(GOOD, health=health)[0] is health


def test_an_echo_not_after_the_last_changes_nothing() -> None:
    health, _ = live(GOOD, LOST)
    for due in (health.seen, health.seen - 1, 0, -5):
        assert judge(health, Echo(due, LOST, SECOND), Limits()) == (health, None)
