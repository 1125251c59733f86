"""The rules of up, down and not measured."""

import itertools

import pytest

from monitor.health import Change, Health, State, declare, judge
from monitor.ping.reply import Reply, Status

SECOND = 1_000_000


def reply(status: Status = Status.REPLY) -> Reply:
    return Reply(0, status, 0, 1000 if status is Status.REPLY else None)


def live(*statuses: Status, interval: int = SECOND, health: Health | None = None) -> tuple[Health, list[Change]]:
    """The health after echoes that were due an interval apart, and every change on the way."""
    health, changes, start = health or Health(), [], (health.tends_since + SECOND if health else SECOND)
    for place, status in enumerate(statuses):
        health, change = judge(health, reply(status), start + place * interval)
        changes += [change] if change else []
    return health, changes


def test_the_first_answer_makes_a_host_up() -> None:
    health, changes = live(Status.REPLY)
    assert (health.state, health.since) == (State.UP, SECOND)
    assert changes == [Change(State.STARTING, State.UP, SECOND)]


@pytest.mark.parametrize("lost", range(1, 5))
def test_a_few_lost_packets_are_no_outage(lost: int) -> None:
    health, changes = live(Status.REPLY, *[Status.TIMEOUT] * lost, Status.REPLY)
    assert health.state is State.UP
    assert len(changes) == 1


def test_five_lost_over_five_seconds_are_an_outage_that_began_with_the_first_of_them() -> None:
    health, changes = live(Status.REPLY, *[Status.TIMEOUT] * 6)
    assert health.state is State.DOWN
    assert changes[1] == Change(State.UP, State.DOWN, 2 * SECOND)
    assert health.since == 2 * SECOND


def test_five_lost_in_one_second_are_no_outage_yet() -> None:
    assert live(Status.REPLY, *[Status.TIMEOUT] * 6, interval=SECOND // 5)[0].state is State.UP
    assert live(Status.REPLY, *[Status.TIMEOUT] * 26, interval=SECOND // 5)[0].state is State.DOWN


def test_four_lost_a_minute_apart_are_no_outage_and_five_are() -> None:
    assert live(Status.REPLY, *[Status.TIMEOUT] * 4, interval=60 * SECOND)[0].state is State.UP
    assert live(Status.REPLY, *[Status.TIMEOUT] * 5, interval=60 * SECOND)[0].state is State.DOWN


def test_one_answer_ends_an_outage() -> None:
    health, changes = live(*[Status.TIMEOUT] * 6, Status.REPLY)
    assert health.state is State.UP
    assert [change.after for change in changes] == [State.DOWN, State.UP]


def test_every_way_to_lose_a_packet_counts() -> None:
    statuses = (Status.TIMEOUT, Status.HOST_UNREACHABLE, Status.NO_ROUTE, Status.CORRUPT, Status.PROHIBITED)
    assert live(Status.REPLY, *itertools.islice(itertools.cycle(statuses), 6))[0].state is State.DOWN


def test_what_could_not_be_sent_is_not_measured_and_no_outage() -> None:
    health, changes = live(Status.REPLY, *[Status.NOT_SENT] * 6)
    assert health.state is State.NOT_MEASURED
    assert changes[-1].at == 2 * SECOND


def test_a_host_that_is_down_stays_so_through_a_short_time_without_measuring() -> None:
    down, _ = live(*[Status.TIMEOUT] * 6)
    assert live(*[Status.NOT_SENT] * 4, health=down)[0].state is State.DOWN


@pytest.mark.parametrize("note", [Status.DUPLICATE, Status.LATE, Status.REDIRECT])
def test_notes_change_nothing(note: Status) -> None:
    health, _ = live(Status.REPLY)
    assert judge(health, reply(note), 9 * SECOND) == (health, None)


def test_a_loss_that_is_known_only_after_a_later_answer_says_nothing_about_now() -> None:
    health, _ = live(Status.REPLY, *[Status.TIMEOUT] * 4)
    health, _ = judge(health, reply(), 9 * SECOND)
    for due in (6, 7, 8):
        assert judge(health, reply(Status.TIMEOUT), due * SECOND) == (health, None)


def test_what_is_declared_starts_the_count_anew() -> None:
    health, _ = live(*[Status.TIMEOUT] * 5)
    health, change = declare(health, State.PAUSED, 10 * SECOND)
    assert change == Change(State.STARTING, State.PAUSED, 10 * SECOND)
    health, _ = declare(health, State.STARTING, 11 * SECOND)
    assert live(*[Status.TIMEOUT] * 4, health=health)[0].state is State.STARTING


def test_what_is_so_already_is_no_change() -> None:
    health, _ = declare(Health(), State.PAUSED, SECOND)
    assert declare(health, State.PAUSED, 2 * SECOND)[1] is None
