"""How a host stands: gaps, clocks and maintenance; and echoes that come in any order."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.health import Echo, Health, State
from monitor.order import Order
from monitor.standing import Standing, Why

SECOND = 1_000_000
START = 1_800_000_000 * SECOND
LOST, BACK = -1, 900


def echo(second: float, value: int = BACK) -> Echo:
    return Echo(START + round(second * SECOND), value, SECOND)


def hear(standing: Standing, *echoes: Echo) -> list[tuple[float, State]]:
    """What is noticed of echoes, as seconds and states."""
    noticed = [each for one in echoes for each in standing.hear(one, one.due)]
    return [((each.at - START) / SECOND, each.state) for each in noticed]


def stand(*echoes: Echo) -> Standing:
    standing = Standing(1, State.STARTING, 0)
    hear(standing, *echoes)
    return standing


def test_a_short_time_in_which_nobody_asked_is_a_gap() -> None:
    standing = stand(echo(0), echo(1))
    assert hear(standing, echo(5)) == [(2, State.NOT_MEASURED), (5, State.UP)]
    assert standing.since == START


def test_a_row_does_not_go_on_across_a_time_in_which_nobody_asked() -> None:
    standing = stand(echo(0), *[echo(second, LOST) for second in (1, 2, 3)])
    assert hear(standing, *[echo(second, LOST) for second in (6, 7, 8)]) == [(4, State.NOT_MEASURED), (6, State.UP)]
    assert hear(standing, *[echo(second, LOST) for second in (9, 10, 11)]) == [(6, State.DOWN)]


def test_after_a_long_time_in_which_nobody_asked_it_is_seen_anew() -> None:
    standing = stand(echo(0), echo(1))
    assert hear(standing, echo(500)) == [(2, State.NOT_MEASURED), (500, State.UP)]
    assert standing.since == START + 500 * SECOND


def test_a_host_that_was_down_before_a_long_gap_is_down_until_the_contrary_is_certain() -> None:
    standing = stand(echo(0), *[echo(second, LOST) for second in range(1, 10)])
    assert hear(standing, echo(500))[-1] == (500, State.DOWN)
    assert standing.why == Why("lost_in_row", 6, 5)
    assert hear(standing, *[echo(second) for second in range(501, 510)]) == [(500, State.UP)]


def test_a_clock_that_was_set_back_does_not_stop_the_judging() -> None:
    standing = stand(echo(3600), echo(3601))
    assert hear(standing, *[echo(second, LOST) for second in range(10)]) == [(0, State.DOWN)]


def test_maintenance_hides_what_is_measured_and_ends_with_it() -> None:
    standing = stand(echo(0))
    (covered,) = standing.cover(START + SECOND, START + 2 * SECOND)
    assert (covered.state, covered.at) == (State.MAINTENANCE, START + SECOND)
    assert standing.cover(START + SECOND, START + 3 * SECOND) == []
    assert hear(standing, *[echo(second, LOST) for second in range(1, 20)]) == []
    assert standing.cover(None, START + 20 * SECOND) == []
    (bare,) = standing.hear(echo(20, LOST), START + 22 * SECOND)
    assert (bare.state, bare.at, bare.reason) == (State.DOWN, START + 20 * SECOND, "lost_in_row")
    assert bare.noticed_at == START + 22 * SECOND


def test_a_host_that_nobody_asked_when_its_maintenance_ended_is_bad_from_when_it_is_seen_to_be() -> None:
    standing = stand(echo(0))
    standing.cover(START + SECOND, START + SECOND)
    hear(standing, *[echo(second, LOST) for second in range(1, 20)])
    standing.cover(None, START + 40 * SECOND)
    assert standing.state is State.MAINTENANCE
    assert hear(standing, echo(60, LOST)) == [(40, State.NOT_MEASURED), (60, State.DOWN)]


def test_maintenance_that_begins_again_before_it_is_known_how_the_last_ended_goes_on() -> None:
    standing = stand(echo(0))
    standing.cover(START + SECOND, START + SECOND)
    hear(standing, *[echo(second, LOST) for second in range(1, 20)])
    standing.cover(None, START + 20 * SECOND)
    assert standing.cover(START + 20 * SECOND, START + 20 * SECOND) == []
    assert hear(standing, echo(20, LOST), echo(21, LOST)) == []
    assert standing.declare(State.NOT_MEASURED, START + 30 * SECOND) == []


def test_a_host_that_cannot_be_asked_when_its_maintenance_ended_is_not_measured() -> None:
    standing = stand(echo(0))
    standing.cover(START + SECOND, START + SECOND)
    hear(standing, *[echo(second, LOST) for second in range(1, 20)])
    standing.cover(None, START + 20 * SECOND)
    (bare,) = standing.declare(State.NOT_MEASURED, START + 25 * SECOND)
    assert (bare.state, bare.at) == (State.NOT_MEASURED, START + 20 * SECOND)


def test_what_began_before_maintenance_and_is_known_only_in_it_is_noticed() -> None:
    standing = stand(echo(0), *[echo(second, LOST) for second in range(1, 4)])
    standing.cover(START + 4 * SECOND, START + 4 * SECOND)
    (down,) = [each for second in range(4, 9) for each in standing.hear(echo(second, LOST), START + 9 * SECOND)]
    assert (down.at, down.state, down.hidden, down.reason) == (START + SECOND, State.DOWN, True, "lost_in_row")
    assert standing.state is State.MAINTENANCE


def test_an_outage_that_began_in_maintenance_counts_from_its_end() -> None:
    standing = stand(echo(0))
    standing.cover(START, START)
    hear(standing, *[echo(second, LOST) for second in range(1, 4)])
    standing.cover(None, START + 4 * SECOND)
    assert hear(standing, *[echo(second, LOST) for second in range(4, 9)]) == [(4, State.DOWN)]


def test_a_host_that_was_in_maintenance_before_a_restart_still_is() -> None:
    standing = Standing(1, State.MAINTENANCE, START)
    standing.resume(Health(), 0, Why(), [], START)
    assert standing.cover(START, START + SECOND) == []
    assert standing.state is State.MAINTENANCE


def test_two_lost_look_like_an_outage_and_one_does_not() -> None:
    assert not stand(echo(0), echo(1, LOST)).wavers
    assert stand(echo(0), echo(1, LOST), echo(2, LOST)).wavers
    assert not stand(echo(0), echo(1, LOST), echo(2, LOST), echo(3)).wavers


@given(st.permutations(range(12)))
def test_echoes_in_any_order_are_handed_on_in_the_order_sent(indices: list[int]) -> None:
    order, handed = Order(), []
    for count, index in enumerate(indices, 1):
        handed += order.put(index, echo(index))
        known = set(indices[:count])
        assert len(handed) == next(place for place in range(13) if place not in known)
    assert handed == [echo(index) for index in range(12)]


@given(st.permutations(range(8)), st.sets(st.integers(0, 7)), st.integers(0, 8))
def test_one_that_never_comes_holds_up_the_others_for_a_time_only(order: list[int], lost: set[int], now: int) -> None:
    queue, handed = Order(), []
    for index in order:
        if index not in lost:
            handed += queue.put(index, echo(index))
    handed += queue.give_up(START + now * SECOND)
    dues = [each.due for each in handed]
    assert dues == sorted(set(dues))
    assert {echo(index).due for index in range(8) if index not in lost and index <= now} <= set(dues)
    assert queue.put(0, echo(0)) == [] or not handed
