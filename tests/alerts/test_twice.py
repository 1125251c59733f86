"""Two watchers at once, as where one lost the lease in the midst of its work: nothing is opened or told twice."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from monitor.alerts import plan
from monitor.courier import claim
from monitor.health import State
from monitor.incidents import record
from monitor.models import Delivery, Fate, Incident, Transition
from monitor.network import gather
from monitor.standing import Noticed
from tests.alerts.services import make_channel, make_incident
from tests.watch.sites import watch

pytestmark = pytest.mark.django_db(transaction=True)
SECOND_US = 1_000_000


def twice(work: Callable[[], Any]) -> None:
    """Do it, and again by another before that is committed: who comes second waits, or sees what was there before."""
    failed: list[BaseException] = []

    def follow() -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    second = threading.Thread(target=follow)
    with transaction.atomic():
        work()
        second.start()
        # Long enough for it to be in the midst of its own; if not, it begins after.
        time.sleep(0.7)
    second.join()
    assert not failed


def test_one_incident_of_this_network() -> None:
    make_channel("json://x")
    now = timezone.now()
    for host in watch(*[f"host {number}" for number in range(8)]):
        make_incident(host, now)
    twice(lambda: gather(now, 8))
    twice(lambda: plan(now, storm=False))
    network = Incident.objects.get(host=None)
    assert network.parts.count() == 8
    assert [each.incident_id for each in Delivery.objects.filter(fate=Fate.WAITING)] == [network.pk]


def test_one_incident_and_one_transition_of_a_host() -> None:
    (host,) = watch("alice")
    bad = Noticed(host.pk, SECOND_US, State.DOWN, 7 * SECOND_US, "lost_in_row", 5, 5)
    twice(lambda: record([bad]))
    assert Incident.objects.count() == Transition.objects.count() == 1


def test_one_claim_of_a_message() -> None:
    make_channel("json://x")
    make_incident(*watch("alice"))
    now = timezone.now()
    plan(now, storm=False)
    claims: list[list[Delivery]] = []
    names = iter(("alice", "bob"))
    twice(lambda: claims.append(claim(next(names), [], 9, now)))
    assert sorted(map(len, claims)) == [0, 1]
    assert Delivery.objects.get().attempts == 1
