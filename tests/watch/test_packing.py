"""Packing: every value comes back, small and fast to read, and the numbers on disk stay what they are."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.packing import LONGEST, Code, Packer, Slots, find_code, pack, unpack
from monitor.ping.reply import NOTES, Reply, Status

values = st.lists(st.one_of(st.integers(0, LONGEST), st.sampled_from(list(map(int, Code)))), min_size=1, max_size=300)


@given(values, st.integers(0, 59_999), st.integers(200, 300_000))
def test_everything_packed_comes_back(numbers: list[int], offset: int, interval: int) -> None:
    slots = Slots(offset, interval, numbers)
    assert unpack(pack(slots)) == [slots]


@given(st.lists(values, max_size=4))
def test_slots_put_one_after_the_other_come_back_as_many(rows: list[list[int]]) -> None:
    several = [Slots(place * 10_000, 1000, row) for place, row in enumerate(rows)]
    assert unpack(b"".join(map(pack, several))) == several


@given(values, st.integers(0, 300))
def test_packing_bit_by_bit_makes_the_same_bytes(numbers: list[int], settled: int) -> None:
    packer = Packer(7, 1000)
    for value in numbers[:settled]:
        packer.add(value)
        packer.finish([Code.UNKNOWN, 5])
    assert packer.finish(numbers[settled:]) == pack(Slots(7, 1000, numbers))


def test_every_status_has_a_code_of_its_name_and_every_loss_is_told_from_what_was_not_measured() -> None:
    for status in set(Status) - NOTES - {Status.REPLY}:
        code = Code(find_code(Reply(0, status, 0)))
        assert code.name.lower() == status.value
        assert (code > -16) == Reply(0, status, 0).lost


def test_an_error_with_a_round_trip_is_no_answer() -> None:
    assert find_code(Reply(0, Status.HOST_UNREACHABLE, 0, rtt_us=900)) == Code.HOST_UNREACHABLE
    assert find_code(Reply(0, Status.REPLY, 0, rtt_us=900)) == 900


def test_the_bytes_on_disk_never_change() -> None:
    packed = bytes.fromhex("0780fa83e880e02b00c05d2411c05dd7c1d4d8")
    assert unpack(packed) == [Slots(250, 1000, [100, 90, -1, 12_000, -18, 0, 60_000])]
    assert [int(code) for code in Code] == [*range(-1, -13, -1), *range(-16, -21, -1)]


def test_round_trips_that_vary_by_a_few_per_cent_take_less_than_three_bytes() -> None:
    chance = random.Random(1)
    for base in (300, 12_700, 250_000):
        row = [round(chance.gauss(base, base * 0.03)) for _ in range(60)]
        assert len(pack(Slots(0, 1000, row))) / 60 < 2.9


@pytest.mark.parametrize("cut", range(1, 12))
def test_bytes_that_end_too_early_are_refused(cut: int) -> None:
    packed = pack(Slots(59_000, 300_000, [4_000_000, 3, 4_000_000]))
    with pytest.raises(ValueError, match="end"):
        unpack(packed[: min(cut, len(packed) - 1)])
