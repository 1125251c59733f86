"""Loss and jitter of the last five minutes."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from monitor.recent import TENTH, TENTHS, Recent

SECOND = 1_000_000
START = 1_800_000_000 * SECOND


def test_nothing_sent_is_no_loss_and_no_jitter() -> None:
    assert (Recent().loss(START), Recent().jitter(START)) == (None, None)


def test_loss_is_the_share_without_an_answer() -> None:
    recent = Recent()
    for place in range(8):
        recent.add(START + place * SECOND, None if place % 4 == 0 else 1000)
    assert recent.loss(START + 8 * SECOND) == 0.25


def test_jitter_is_the_mean_change_in_the_order_sent() -> None:
    recent = Recent()
    for place, rtt in enumerate((1000, 1400, 1200)):
        recent.add(START + place * SECOND, rtt)
    assert recent.jitter(START) == 300


def test_an_answer_that_was_overtaken_does_not_count_towards_jitter() -> None:
    recent = Recent()
    for place, rtt in ((0, 1000), (2, 1400), (1, 9000)):
        recent.add(START + place * SECOND, rtt)
    assert recent.jitter(START + 2 * SECOND) == 400
    assert recent.loss(START + 2 * SECOND) == 0


def test_what_is_older_than_five_minutes_is_forgotten() -> None:
    recent = Recent()
    recent.add(START, None)
    assert recent.loss(START + 200 * SECOND) == 1
    assert recent.loss(START + 301 * SECOND + TENTH) is None
    recent.add(START + 400 * SECOND, 1000)
    assert recent.loss(START + 400 * SECOND) == 0


@pytest.mark.parametrize("jump", [-400 * SECOND, -(10**15), 400 * SECOND, 10**15])
def test_a_clock_that_was_set_begins_the_five_minutes_anew(jump: int) -> None:
    recent = Recent()
    for place, rtt in enumerate((None, 1000, 9000)):
        recent.add(START + place * SECOND, rtt)
    for place, rtt in enumerate((1000, 1200, None, 1000)):
        recent.add(START + jump + place * SECOND, rtt)
    assert recent.loss(START + jump + 4 * SECOND) == 0.25
    assert recent.jitter(START + jump + 4 * SECOND) == 200


@given(some.lists(some.tuples(some.integers(0, 2000), some.none() | some.integers(0, 5000)), max_size=300))
def test_loss_is_what_counting_everything_gives(echoes: list[tuple[int, int | None]]) -> None:
    recent, now = Recent(), START
    known = []
    for wait, rtt in echoes:
        now += wait * SECOND // 10
        recent.add(now, rtt)
        known.append((now // TENTH, rtt))
    fresh = [rtt for tenth, rtt in known if now // TENTH - TENTHS < tenth]
    assert recent.loss(now) == (pytest.approx(fresh.count(None) / len(fresh)) if fresh else None)
