"""Which echo leaves when, and what is said of those that could not."""

import tracemalloc

import pytest

from monitor.ping.airspace import LINGER, Airspace
from monitor.ping.arrival import Arrival
from monitor.ping.clock import SECOND
from monitor.ping.course import MISSED, Course, Flight, spread_evenly
from monitor.ping.departures import Departures
from monitor.ping.reply import Reply, Status
from monitor.ping.summary import Summary
from monitor.ping.target import Target

HOST = Target("192.0.2.1", timeout=1)
START = 1000 * SECOND


def course(count: int | None = None, interval: float = 1.0, target: Target = HOST) -> Course:
    made = Course(target, print, interval=interval, count=count)
    made.start(START)
    return made


def answer(flight: Flight, status: Status = Status.REPLY) -> Arrival:
    return Arrival(status, 1, flight.sequence, flight.payload, None, HOST.packed, 64, 0, 64)


def statuses(replies: list[Reply]) -> list[Status]:
    return [reply.status for reply in replies]


def test_each_echo_is_due_an_interval_after_the_last_however_late_that_left() -> None:
    steady = course(count=3)

    assert [steady.step(START + late).due - START for late in (0, SECOND + 900_000_000, 2 * SECOND)] == [
        0,
        SECOND,
        2 * SECOND,
    ]
    assert steady.over


def test_after_a_long_sleep_the_index_jumps_over_what_nobody_wants_to_read() -> None:
    slept = course()
    slept.step(START)
    flight = slept.step(START + 8 * 3600 * SECOND)

    assert flight.index == 8 * 3600 - MISSED
    assert flight.due == START + flight.index * SECOND


def test_every_echo_of_a_course_with_an_end_is_told_of_after_any_sleep() -> None:
    slept = course(count=500)
    indexes = []
    while not slept.over:
        indexes.append(slept.step(START + 3600 * SECOND).index)

    assert indexes == list(range(500))


def test_courses_begin_spread_over_their_interval() -> None:
    courses = [Course(HOST, print, count=None) for _ in range(4)]
    spread_evenly(courses)

    assert [each.due for each in courses] == [0, SECOND // 4, SECOND // 2, 3 * SECOND // 4]


def test_departures_come_in_the_order_of_their_due_times() -> None:
    departures = Departures()
    fast, slow = course(interval=0.4), course(interval=1.0, target=Target("192.0.2.2"))
    for each in (slow, fast):
        departures.add(each)
    order = []
    for at in range(0, 1_201_000_000, 1_000_000):
        left = departures.take(START + at, 9)
        order += [(round((flight.due - START) / 1e9, 1), flight.course is fast) for flight in left]

    assert sorted(order) == sorted([(0.0, False), (0.0, True), (0.4, True), (0.8, True), (1.0, False), (1.2, True)])
    assert [due for due, _ in order] == sorted(due for due, _ in order)


def test_a_stopped_course_is_dropped_when_its_turn_comes() -> None:
    departures, stopped = Departures(), course()
    departures.add(stopped)
    stopped.stop()

    assert departures.take(START, 9) == []
    assert not departures


def test_an_echo_that_the_kernel_had_no_room_for_is_the_next_to_leave() -> None:
    departures = Departures()
    departures.add(course())
    (flight,) = departures.take(START, 9)
    departures.hold(flight, START)

    assert departures.take(START, 9) == []
    assert departures.wake_at(START + 60 * SECOND) > START
    assert departures.take(START + SECOND // 100, 9) == [flight]


def test_what_is_heard_after_the_verdict_is_a_note() -> None:
    flight = course().step(START)
    flight.sent = START

    assert statuses(flight.hear(Status.REPLY, answer(flight), SECOND // 10)) == [Status.REPLY]
    assert statuses(flight.hear(Status.REPLY, answer(flight), SECOND // 5)) == [Status.DUPLICATE]
    assert flight.hear(Status.PROHIBITED, answer(flight), 0) == []


def test_an_answer_that_was_read_before_the_deadline_but_came_after_it_is_late() -> None:
    flight = course().step(START)

    heard = flight.hear(Status.REPLY, answer(flight), 2 * SECOND)
    assert statuses(heard) == [Status.TIMEOUT, Status.LATE]
    assert statuses(flight.hear(Status.REPLY, answer(flight), 3 * SECOND)) == [Status.DUPLICATE]


def test_a_redirect_leaves_the_verdict_open() -> None:
    flight = course().step(START)

    assert statuses(flight.hear(Status.REDIRECT, answer(flight), 0)) == [Status.REDIRECT]
    assert statuses(flight.hear(Status.REPLY, answer(flight), 1)) == [Status.REPLY]


def test_each_echo_is_overdue_once_and_forgotten_a_while_later() -> None:
    airspace, flights = (
        Airspace(),
        [course(target=Target("192.0.2.1", timeout=t)).step(START) for t in (2, 1, 1)],
    )
    airspace.check_in(flights)
    airspace.depart(flights, START, START)

    assert airspace.wake_at(START + 60 * SECOND) == START + SECOND
    assert list(airspace.overdue(START + SECOND - 1, 99)) == []
    assert set(airspace.overdue(START + SECOND, 99)) == set(flights[1:])
    assert set(airspace.overdue(START + 2 * SECOND, 99)) == {flights[0]}
    assert airspace
    assert list(airspace.overdue(START + 60 * SECOND, 99)) == []
    assert not airspace


def in_the_air(count: int, size: int = 56) -> tuple[Airspace, list[Flight]]:
    """Return so many echoes to a host that left at the same moment, and what keeps them in mind."""
    airspace, flights = Airspace(), [course(target=Target("192.0.2.1", size=size)).step(START) for _ in range(count)]
    airspace.check_in(flights)
    airspace.depart(flights, START, START)
    return airspace, flights


def land(airspace: Airspace, flight: Flight) -> None:
    flight.hear(Status.REPLY, answer(flight), 1)
    airspace.land(flight.key, flight)


@pytest.mark.parametrize("size", [0, 4, 8, 56])
def test_a_second_answer_finds_its_echo_until_the_deadline_of_that(size: int) -> None:
    airspace, (early, late) = in_the_air(2, size)
    land(airspace, early)
    assert airspace.find(answer(early), 1) == (early, Status.REPLY)

    land(airspace, late)
    assert [airspace.find(answer(flight), 1) for flight in (early, late)] == [
        (early, Status.REPLY),
        (late, Status.REPLY),
    ]
    assert airspace
    assert list(airspace.overdue(START + SECOND, 99)) == []
    assert [airspace.find(answer(flight), 1) for flight in (early, late)] == [None, None]
    assert not airspace


def test_among_many_an_answered_echo_is_looked_for_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.ping.airspace.INDEXED", 10)
    airspace, flights = in_the_air(35)
    for flight in flights:
        land(airspace, flight)
    assert airspace.find(answer(flights[5]), 1) == (flights[5], Status.REPLY)
    steps = 0
    while airspace.indexing:
        assert airspace.find(answer(flights[34]), 1) is None
        airspace.index()
        steps += 1

    assert steps == 3
    assert airspace.find(answer(flights[34]), 1) == (flights[34], Status.REPLY)


def test_an_answered_echo_gives_its_number_to_the_next_and_is_not_taken_for_that() -> None:
    airspace, (first,) = in_the_air(1)
    land(airspace, first)
    second = course().step(START)
    airspace.check_in([second])

    assert first.key == second.key
    assert airspace.find(answer(first), 1) == (first, Status.REPLY)
    assert airspace.find(answer(second), 1) == (second, Status.REPLY)


def test_second_answers_are_looked_for_in_a_list_only_while_some_come() -> None:
    airspace, (flight,) = in_the_air(1)
    land(airspace, flight)
    for late in (0, 3, 7):
        assert airspace.find(answer(flight), 2) is None
        assert list(airspace.overdue(START - 9 * SECOND + late * SECOND, 99)) == []
        assert airspace._answered is None

    airspace.find(answer(flight), 1)
    found, flood = airspace._answered, [airspace.find(answer(flight), 1) for _ in range(100)]
    assert airspace._answered is found
    assert flood == [(flight, Status.REPLY)] * 100
    assert list(airspace.overdue(START + LINGER, 99)) == []
    assert airspace._answered is not None
    assert list(airspace.overdue(START + 3 * LINGER, 99)) == []
    assert airspace._answered is None


def test_a_host_that_answers_takes_no_more_than_a_kilobyte() -> None:
    hosts = 1000
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        airspace, summaries = Airspace(), [Summary() for _ in range(hosts)]
        courses = [
            Course(Target(f"127.1.{number >> 8}.{number & 255}"), summary.add, count=None)
            for number, summary in enumerate(summaries)
        ]
        spread_evenly(courses)
        for _ in range(5):
            for each in courses:
                now, flight = each.due, each.step(each.due)
                airspace.check_in([flight])
                airspace.depart([flight], now, now)
                assert list(airspace.overdue(now, 99)) == []
                land(airspace, flight)
                each.deliver(flight.report(Status.REPLY, 1000, answer(flight)))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert sum(summary.received for summary in summaries) == 5 * hosts
    assert (after - before) / hosts <= 1024


def test_no_two_echoes_in_the_air_share_host_and_number_nor_any_two_a_token() -> None:
    airspace = Airspace()
    flights = [course().step(START) for _ in range(2000)]
    airspace.check_in(flights)

    assert flights[0].sequence == 1
    assert len({flight.sequence for flight in flights}) == len(flights)
    assert len({flight.payload for flight in flights}) == len(flights)
