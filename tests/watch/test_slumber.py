"""A machine that slept is told from a process that stalled, by the clocks alone."""

import pytest

from monitor.slumber import Slumber, list_slots, read_clocks

SECOND = 1_000_000_000
REAL = 1_700_000_000 * SECOND


class Machine:
    """Clocks that go on as the test says."""

    def __init__(self) -> None:
        self.monotonic, self.boot, self.real = 5 * SECOND, 9 * SECOND, REAL

    def __call__(self) -> tuple[int, int, int]:
        return self.monotonic, self.boot, self.real

    def go_on(self, seconds: float) -> None:
        self.monotonic += round(seconds * SECOND)
        self.sleep(seconds)

    def sleep(self, seconds: float) -> None:
        self.boot += round(seconds * SECOND)
        self.real += round(seconds * SECOND)


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_a_process_that_stalls_for_a_minute_did_not_sleep(machine: Machine) -> None:
    slumber = Slumber(machine)
    for stall in (0.5, 60, 0.5):
        machine.go_on(stall)
        assert slumber.look() is None


def test_a_sleep_is_noticed_once_and_lies_between_the_looks(machine: Machine) -> None:
    slumber = Slumber(machine)
    machine.go_on(0.2)
    machine.sleep(3600)
    machine.go_on(0.3)
    span = slumber.look()
    assert span == (REAL // 1000 + 500_000, REAL // 1000 + 3_600_000_000)
    machine.go_on(0.5)
    assert slumber.look() is None


def test_a_clock_that_is_set_is_no_sleep(machine: Machine) -> None:
    slumber = Slumber(machine)
    machine.go_on(0.5)
    machine.real += 7200 * SECOND
    assert slumber.look() is None
    machine.real -= 9999 * SECOND
    assert slumber.look() is None


def test_a_nap_shorter_than_the_time_awake_leaves_nothing_that_is_sure(machine: Machine) -> None:
    slumber = Slumber(machine)
    machine.go_on(1)
    machine.sleep(0.9)
    assert slumber.look() is None


def test_this_machine_is_awake() -> None:
    slumber = Slumber()
    assert slumber.look() is None
    assert read_clocks()[1] >= read_clocks()[0] - SECOND


@pytest.mark.parametrize("due", [1_250_000, 250_000, 99_250_000])
def test_slots_are_those_that_the_interval_would_have_had(due: int) -> None:
    slots, step = list_slots(due, 1_000_000, (10_000_000, 14_000_000), 60)
    assert (list(slots), step) == ([10_250_000, 11_250_000, 12_250_000, 13_250_000], 1_000_000)


def test_a_long_sleep_has_no_more_slots_than_are_allowed() -> None:
    slots, step = list_slots(0, 200_000, (1, 8 * 3600 * 1_000_000), 500)
    assert 450 < len(slots) <= 500
    assert step % 200_000 == 0
    assert slots.step == step
