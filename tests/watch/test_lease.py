"""One watcher at a time, whoever dies and whatever the clocks say."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from monitor.lease import LEASE, STALE, Claim
from monitor.models import Lease

pytestmark = pytest.mark.django_db


class Clock:
    """Time that goes by when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def claims(number: int = 2) -> tuple[Clock, list[Claim]]:
    clock = Clock()
    return clock, [Claim("watch", f"holder {place}", clock=clock) for place in range(number)]


def wait_out(clock: Clock, waiting: Claim) -> None:
    """Let a holder that is silent be dead with the next look."""
    for _ in range(round(LEASE.total_seconds())):
        assert not waiting.hold()
        clock.now += 1


def test_the_first_to_ask_has_the_lease_and_keeps_it() -> None:
    clock, (alice, bob) = claims()
    assert alice.hold()
    for _ in range(30):
        clock.now += 1
        assert alice.hold()
        assert not bob.hold()


def test_a_holder_that_does_not_renew_is_replaced_within_ten_seconds() -> None:
    clock, (alice, bob) = claims()
    assert alice.hold()
    assert not bob.hold()
    waited = 0.0
    while not bob.hold():
        clock.now += 0.5
        waited += 0.5
    assert waited == LEASE.total_seconds()
    assert not alice.hold()


def test_a_lease_given_back_is_free_at_once() -> None:
    _, (alice, bob) = claims()
    assert alice.hold()
    alice.release()
    assert bob.hold()
    assert not alice.hold()


def test_nobody_gives_back_the_lease_of_another() -> None:
    _, (alice, bob) = claims()
    assert alice.hold()
    bob.release()
    assert not bob.hold()


@pytest.mark.parametrize("wrong", [dt.timedelta(hours=-1), dt.timedelta(seconds=-20), dt.timedelta(hours=1)])
def test_a_holder_whose_clock_is_wrong_is_left_alone_while_it_lives(wrong: dt.timedelta) -> None:
    clock, (alice, bob) = claims()
    assert alice.hold()
    if wrong < -STALE:
        wrong = -STALE + LEASE
    for beat in range(40):
        Lease.objects.update(expires_at=timezone.now() + LEASE + wrong + dt.timedelta(microseconds=beat))
        clock.now += 0.5
        assert not bob.hold()


def test_a_clock_that_was_set_back_keeps_nobody_waiting_for_a_dead_holder() -> None:
    clock, (alice, bob) = claims()
    assert alice.hold()
    Lease.objects.update(expires_at=timezone.now() + dt.timedelta(hours=1))
    assert not bob.hold()
    wait_out(clock, bob)
    assert bob.hold()


@pytest.mark.parametrize("away", [LEASE, 10 * STALE])
def test_a_holder_that_could_not_renew_while_the_database_was_away_gets_its_time_again(away: dt.timedelta) -> None:
    clock, (alice, bob) = claims()
    assert alice.hold()
    assert not bob.hold()
    clock.now += away.total_seconds()
    if away > STALE:
        Lease.objects.update(expires_at=timezone.now() + LEASE - away)
    assert not bob.hold()
    assert alice.hold()
    assert not bob.hold()


def test_a_lease_that_ran_out_long_ago_is_taken_at_once() -> None:
    _, (alice, bob) = claims()
    assert alice.hold()
    Lease.objects.update(expires_at=timezone.now() - STALE - dt.timedelta(seconds=1))
    assert bob.hold()


def test_two_who_wait_for_the_same_dead_holder_do_not_both_get_it() -> None:
    clock, (alice, bob, carol) = claims(3)
    assert alice.hold()
    for _ in range(round(LEASE.total_seconds())):
        assert not carol.hold()
        assert not bob.hold()
        clock.now += 1
    assert [bob.hold(), carol.hold()] == [True, False]


@pytest.mark.django_db(transaction=True)
def test_of_eight_that_start_at_once_one_has_the_lease() -> None:
    def hold(place: int) -> bool:
        try:
            return Claim("watch", f"holder {place}").hold()
        finally:
            connection.close()

    for _ in range(5):
        Lease.objects.all().delete()
        with ThreadPoolExecutor(8) as threads:
            assert sum(threads.map(hold, range(8))) == 1
