"""Honest time: ceilings, stalls, sleeps of the machine, and clocks that are set in between."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.ping.clock import SECOND, Bucket, Load, Vigil, measure_round_trip

MS = SECOND // 1000


def test_the_kernels_receive_time_counts_however_late_we_read_it() -> None:
    assert measure_round_trip(0, 10 * SECOND, 300 * MS, 10 * SECOND + 300 * MS, 10 * SECOND + 12 * MS) == 12 * MS


def test_without_a_receive_time_the_time_of_reading_counts() -> None:
    assert measure_round_trip(0, 10 * SECOND, 300 * MS, 10 * SECOND + 300 * MS, 0) == 300 * MS


@pytest.mark.parametrize("step", [-3600 * SECOND, -5 * MS, 5 * MS, 3600 * SECOND])
def test_a_clock_set_in_mid_flight_does_not_bend_the_round_trip(step: int) -> None:
    sent_at, received_at = 5000 * SECOND, 5000 * SECOND + 12 * MS + step

    assert measure_round_trip(0, sent_at, 13 * MS, sent_at + 13 * MS + step, received_at) == 13 * MS


@given(*[st.integers(0, 2**62)] * 5)
def test_a_round_trip_is_never_negative_nor_longer_than_it_took(
    sent: int, sent_at: int, elapsed: int, read_at: int, received_at: int
) -> None:
    assert 0 <= measure_round_trip(sent, sent_at, sent + elapsed, read_at, received_at) <= elapsed + MS


def test_a_ceiling_lets_a_short_burst_go_and_then_its_rate() -> None:
    bucket, now, times = Bucket(1000), 100 * SECOND, []
    for _ in range(1050):
        times.append(now)
        now = max(now, bucket.take(now))

    assert times[49] == times[0]
    assert times[-1] - times[0] == pytest.approx(SECOND, rel=0.01)


def test_a_slow_ceiling_has_no_burst() -> None:
    bucket = Bucket(2)

    assert bucket.take(10 * SECOND) == 10 * SECOND + SECOND // 2


def test_without_a_ceiling_everything_may_go() -> None:
    assert Bucket().take(10 * SECOND) <= 10 * SECOND


def test_a_wake_up_far_too_late_is_a_stall() -> None:
    vigil, now = Vigil(), time.monotonic_ns()
    vigil.expect(now + 60 * SECOND)
    vigil.look(now + 60 * SECOND + SECOND // 2)
    assert vigil.disturbed_at == 0

    vigil.look(now + 62 * SECOND)
    assert vigil.disturbed_at == now + 62 * SECOND


def test_a_sleep_of_the_machine_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    vigil, now = Vigil(), time.monotonic_ns()
    before = time.clock_gettime_ns
    monkeypatch.setattr(time, "clock_gettime_ns", lambda clock: before(clock) + 8 * 3600 * SECOND)
    vigil.look(now)

    assert vigil.disturbed_at == now


def test_load_is_heavy_after_a_busy_moment_and_light_after_a_quiet_one() -> None:
    load = Load()
    for at in range(12):
        load.add(10, SECOND + at * MS)
    assert load.heavy

    load.add(1, SECOND + 30 * MS)
    load.add(1, SECOND + 60 * MS)
    assert not load.heavy
