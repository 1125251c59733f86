"""Histograms: no percentile is off by more than its bin, whatever is merged in whatever order."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.histogram import (
    count_times,
    find_bin,
    find_percentiles,
    find_span,
    list_bins,
    pack_narrow,
    pack_wide,
    unpack_narrow,
    unpack_wide,
)  # fmt: skip
from monitor.packing import LONGEST
from monitor.tally import find_exact

times = st.lists(st.one_of(st.integers(0, 500), st.integers(0, LONGEST)), min_size=1, max_size=200)


@given(st.integers(0, LONGEST))
def test_a_time_is_in_its_bin_and_no_bin_is_wider_than_a_32nd_of_it(time: int) -> None:
    least, width = find_span(find_bin(time))
    assert least <= time < least + width
    assert width == 1 or width <= least / 32


def test_bins_follow_one_another_without_a_gap() -> None:
    for number in range(1500):
        least, width = find_span(number)
        assert find_span(number + 1)[0] == least + width


@given(times)
def test_every_percentile_is_in_the_bin_of_the_exact_one(numbers: list[int]) -> None:
    found = find_percentiles(count_times(numbers), range(101))
    assert found is not None
    for percent, time in enumerate(found):
        assert find_bin(time) == find_bin(find_exact(sorted(numbers), percent))


@given(times, times)
def test_what_is_put_together_is_as_if_counted_together(one: list[int], other: list[int]) -> None:
    together = count_times(one) + count_times(other)
    assert list_bins(together) == list_bins(count_times(other + one))
    percentiles = find_percentiles(together, range(101)) or []
    assert percentiles == find_percentiles(count_times(one + other), range(101)) == sorted(percentiles)
    exact = [find_exact(sorted(one + other), percent) for percent in range(101)]
    assert list(map(find_bin, percentiles)) == list(map(find_bin, exact))


@given(times)
def test_packed_entries_come_back(numbers: list[int]) -> None:
    entries = count_times(numbers)
    assert list(unpack_wide(pack_wide(entries))) == sorted(entries)
    assert list_bins(unpack_narrow(pack_narrow(entries))) == list_bins(entries)


def test_counts_too_great_for_an_entry_take_several() -> None:
    entries = count_times([7] * 1_500_000)
    assert len(entries) == 2
    assert list_bins(unpack_wide(pack_wide(entries) * 2)) == [(7, 1, 3_000_000)]
    assert list_bins(unpack_narrow(pack_narrow(count_times([7] * 300)))) == [(7, 1, 300)]


def test_nothing_counted_has_no_percentile() -> None:
    assert find_percentiles([], (50,)) is None
    assert unpack_narrow(b"") == list(unpack_wide(b"")) == []
