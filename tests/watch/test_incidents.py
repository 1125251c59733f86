"""What is noticed goes on record: incidents, transitions, what belongs together; again and again to the same rows."""

import datetime as dt
import random

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from monitor.health import State
from monitor.incidents import Ledger, from_us, record
from monitor.models import Host, Incident, Transition
from monitor.network import GRACE, gather, list_ancestors
from monitor.standing import Noticed
from tests.watch.histories import new_host

pytestmark = pytest.mark.django_db(transaction=True)

SECOND = 1_000_000
NOW = timezone.now().replace(microsecond=0)
START = round(NOW.timestamp()) * SECOND


def noticed(host: Host, second: float, state: State, reason: str = "", **more: object) -> Noticed:
    at = START + round(second * SECOND)
    return Noticed(host.pk, at, state, at + 5 * SECOND, reason, **{"judged_until": at + 4 * SECOND} | more)


def at(second: float) -> dt.datetime:
    return NOW + dt.timedelta(seconds=second)


def states(host: Host) -> list[tuple[dt.datetime, str]]:
    return list(Transition.objects.filter(host=host).order_by("at").values_list("at", "state"))


def test_an_incident_begins_with_the_first_bad_packet_and_ends_with_the_first_good_one() -> None:
    host = new_host()
    record([noticed(host, 0, State.UP), noticed(host, 10, State.DOWN, "lost_in_row", value=5, limit=5)])
    incident = Incident.objects.get()
    assert (incident.began_at, incident.noticed_at, incident.ended_at) == (at(10), at(15), None)
    assert (incident.state, incident.reason, incident.measure) == ("down", "lost_in_row", {"value": 5, "limit": 5})
    assert incident.news
    assert incident.judged_until == at(14), "the packet that decided it left before anybody knew"
    Incident.objects.update(news=False)
    record([noticed(host, 40, State.UP)])
    incident.refresh_from_db()
    assert incident.judged_until == at(44)
    assert (incident.ended_at, incident.end_noticed_at, incident.ending) == (at(40), at(45), "recovered")
    assert incident.news
    host.refresh_from_db()
    assert (host.state, host.state_since) == ("up", at(40))
    assert states(host) == [(at(0), "up"), (at(10), "down"), (at(40), "up")]


def test_what_is_recorded_again_after_a_crash_comes_to_the_same_rows() -> None:
    host = new_host()
    changes = [
        noticed(host, 0, State.UP),
        noticed(host, 10, State.DEGRADED, "loss", value=0.1, limit=0.05),
        noticed(host, 20, State.DOWN, "lost_in_row", value=5, limit=5),
        noticed(host, 40, State.UP),
    ]
    for end in range(1, len(changes) + 1):
        record(changes[:end])
    record(changes[-1:])
    assert Incident.objects.count() == 1
    assert states(host)[-1] == (at(40), "up")
    incident = Incident.objects.get()
    assert (incident.began_at, incident.ended_at, incident.state) == (at(10), at(40), "down")


def test_what_gets_worse_is_one_incident_and_news_again() -> None:
    host = new_host()
    record([noticed(host, 0, State.DEGRADED, "loss", value=0.1, limit=0.05)])
    Incident.objects.update(news=False)
    record([noticed(host, 60, State.DOWN, "lost_in_row", value=5, limit=5)])
    incident = Incident.objects.get()
    assert (incident.state, incident.reason, incident.began_at, incident.news) == ("down", "lost_in_row", at(0), True)


def test_not_to_be_measured_keeps_an_incident_open_and_a_pause_ends_it() -> None:
    host = new_host()
    record([noticed(host, 0, State.DOWN, "lost_in_row"), noticed(host, 30, State.NOT_MEASURED)])
    assert Incident.objects.get().ended_at is None
    record([noticed(host, 60, State.DOWN, "lost_in_row")])
    assert Incident.objects.get().began_at == at(0)
    record([noticed(host, 90, State.PAUSED)])
    assert (Incident.objects.get().ended_at, Incident.objects.get().ending) == (at(90), "paused")


def test_a_gap_is_a_transition_and_changes_nothing_else() -> None:
    host = new_host()
    record([noticed(host, 0, State.DOWN, "lost_in_row")])
    record([noticed(host, 30, State.NOT_MEASURED, gap=True), noticed(host, 40, State.DOWN, gap=True)])
    host.refresh_from_db()
    assert (host.state, host.state_since) == ("down", at(0))
    assert [state for _, state in states(host)] == ["down", "not_measured", "down"]
    assert Incident.objects.count() == 1


def test_transitions_never_go_back_where_the_clock_did() -> None:
    host = new_host()
    record([noticed(host, 100, State.UP), noticed(host, 10, State.DOWN, "lost_in_row"), noticed(host, 20, State.UP)])
    moments = [moment for moment, _ in states(host)]
    assert moments == sorted(set(moments))
    assert moments[0] == at(100)
    incident = Incident.objects.get()
    assert incident.began_at < incident.ended_at <= incident.end_noticed_at


def test_of_a_host_that_is_gone_nothing_is_recorded_and_the_others_are() -> None:
    host, gone = new_host(), new_host("bob")
    lost = noticed(gone, 0, State.DOWN, "lost_in_row")
    gone.delete()
    record([lost, noticed(host, 0, State.DOWN, "lost_in_row")])
    assert [incident.host_id for incident in Incident.objects.all()] == [host.pk]


def test_a_random_life_recorded_in_pieces_or_at_once_is_the_same() -> None:
    kinds = [State.UP, State.DEGRADED, State.DOWN, State.NOT_MEASURED, State.MAINTENANCE, State.PAUSED]
    ends = {}
    for name in ("alice", "bob"):
        host = new_host(name)
        draw = random.Random(7)
        life = [noticed(host, place, draw.choice(kinds), "loss") for place in range(60)]
        step = 1 if name == "alice" else 60
        for place in range(0, 60, step):
            record(life[place : place + step])
        incidents = Incident.objects.filter(host=host).order_by("began_at")
        ends[name] = [states(host), list(incidents.values_list("began_at", "ended_at", "state", "ending"))]
    assert ends["alice"] == ends["bob"]
    assert all(end is not None and end > began for began, end, *_ in ends["alice"][1][:-1])


def test_a_ledger_keeps_what_could_not_be_written() -> None:
    host, ledger = new_host(), Ledger()
    ledger.put([Noticed(host.pk, 1 << 62, State.DOWN, 0)])
    with pytest.raises((OverflowError, ValueError)):
        ledger.write()
    assert len(ledger) == 1
    other = Ledger()
    other.put([noticed(host, 0, State.DOWN, "lost_in_row")])
    assert other.write() == {host.pk}
    assert len(other) == 0


def test_times_are_exact_to_the_microsecond() -> None:
    assert from_us(1_764_223_199_999_999).microsecond == 999_999


def cut(number: int, second: float = 0, **fields: object) -> list[Host]:
    """So many hosts of which the first packets were lost within a second."""
    known = Host.objects.count()
    hosts = [new_host(f"h{known + place}", **fields) for place in range(number)]
    record([noticed(host, second + place / number, State.DOWN, "lost_in_row") for place, host in enumerate(hosts)])
    return hosts


def news() -> list[Incident]:
    return list(Incident.objects.filter(news=True, part_of=None, behind=None))


def test_two_hundred_hosts_that_go_down_together_are_one_incident_of_this_network() -> None:
    hosts = cut(200)
    gather(at(6), 200)
    (incident,) = news()
    assert (incident.host, incident.state, incident.began_at, incident.reason) == (None, "down", at(0), "network")
    assert incident.measure == {"value": 200, "limit": 200}
    assert incident.parts.count() == 200
    gather(at(7), 200)
    assert Incident.objects.filter(host=None).count() == 1
    Incident.objects.update(news=False)
    record([noticed(host, 60 + place / 1000, State.UP) for place, host in enumerate(hosts[:100])])
    gather(at(66), 200)
    incident.refresh_from_db()
    assert (incident.ended_at, incident.ending) == (at(60.099), "recovered")
    assert news() == [incident]


def test_hosts_that_are_up_again_before_anybody_looks_are_still_this_network() -> None:
    hosts = cut(4)
    record([noticed(host, 8, State.UP) for host in hosts])
    gather(at(13), 4)
    assert [incident.host for incident in news()] == [None]


def test_where_all_is_well_two_questions_are_asked(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    record([noticed(host, 8, State.UP) for host in cut(1)])
    with django_assert_num_queries(2):
        gather(at(60), 4)


@pytest.mark.parametrize(("number", "answered"), [(2, 3), (3, 8), (99, 200)])
def test_few_hosts_that_go_down_together_are_incidents_of_their_own(number: int, answered: int) -> None:
    cut(number)
    gather(at(6), answered)
    assert len(news()) == number


def test_hosts_that_go_down_a_minute_apart_are_incidents_of_their_own() -> None:
    cut(2)
    cut(2, 60)
    gather(at(66), 4)
    assert len(news()) == 4


def test_a_host_that_is_noticed_later_joins_what_goes_on() -> None:
    cut(4)
    gather(at(6), 5)
    cut(1, 9)
    gather(at(14), 5)
    assert [incident.host for incident in news()] == [None]
    assert Incident.objects.filter(part_of__isnull=False).count() == 5


def test_who_is_still_down_after_this_network_is_well_is_news_of_its_own() -> None:
    *others, last = cut(4)
    gather(at(6), 4)
    record([noticed(host, 20, State.UP) for host in others])
    gather(at(26), 4)
    Incident.objects.update(news=False)
    gather(at(26) + GRACE, 4)
    assert news() == []
    gather(at(26) + GRACE + dt.timedelta(seconds=11), 4)
    assert [incident.host_id for incident in news()] == [last.pk]


def test_hosts_that_stay_down_after_this_network_is_well_are_not_this_network_again() -> None:
    hosts = cut(10)
    gather(at(6), 10, patience=375)
    record([noticed(host, 20, State.UP) for host in hosts[:6]])
    for second in range(26, 300, 5):
        gather(at(second), 7, patience=375)
    assert Incident.objects.filter(host=None).count() == 1
    assert {incident.host_id for incident in news()} >= {host.pk for host in hosts[6:]}
    cut(5, 310)
    gather(at(316), 12, patience=375)
    assert Incident.objects.filter(host=None).count() == 1
    cut(2, 312)
    gather(at(318), 12, patience=375)
    assert Incident.objects.filter(host=None, ended_at=None).get().began_at == at(310)


def test_a_host_behind_one_that_is_down_is_recorded_as_that_although_the_parent_is_noticed_later() -> None:
    parent = new_host("gateway")
    (child,) = cut(1, parent=parent)
    grandchild = new_host("grandchild", parent=child)
    record([noticed(grandchild, 0, State.DOWN, "lost_in_row"), noticed(parent, 1, State.DOWN, "lost_in_row")])
    gather(at(6), 9)
    assert [incident.host_id for incident in news()] == [parent.pk]
    assert set(Incident.objects.values_list("host__name", "behind__name")) == {
        ("gateway", None), (child.name, "gateway"), ("grandchild", child.name)
    }  # fmt: skip


def test_a_child_that_is_still_down_after_its_parent_is_well_is_news() -> None:
    parent = new_host("gateway")
    child = new_host("child", parent=parent)
    record([noticed(host, 0, State.DOWN, "lost_in_row") for host in (parent, child)])
    gather(at(5), 9)
    record([noticed(parent, 30, State.UP)])
    Incident.objects.update(news=False)
    gather(at(40), 9)
    assert news() == []
    gather(at(35) + GRACE, 9)
    assert [incident.host_id for incident in news()] == [child.pk]


def test_hosts_that_are_reached_through_one_another_do_not_hang() -> None:
    assert list_ancestors(1, {1: 2, 2: 3, 3: 2}) == [2, 3]
    assert list_ancestors(2, {1: 2, 2: 3, 3: 2}) == []
    one = new_host("one")
    two = new_host("two", parent=one)
    Host.objects.filter(pk=one.pk).update(parent=two)
    record([noticed(host, 0, State.DOWN, "lost_in_row") for host in (one, two)])
    gather(at(5), 9)
    assert len(news()) == 2


def hide(host: Host, second: float, state: State, reason: str = "", **more: object) -> Noticed:
    """What is known only in maintenance."""
    return noticed(host, second, state, reason, hidden=True, **more)


def lived(host: Host) -> list[tuple[dt.datetime, dt.datetime | None, str, str]]:
    rows = Incident.objects.filter(host=host).order_by("began_at")
    return list(rows.values_list("began_at", "ended_at", "state", "ending"))


def test_an_outage_that_is_known_only_in_maintenance_ends_with_its_beginning_and_is_told_to_nobody() -> None:
    host = new_host()
    changes = [noticed(host, 0, State.UP), noticed(host, 60, State.MAINTENANCE), hide(host, 57, State.DOWN, "loss")]
    for end in (2, 3, 3):
        record(changes[:end])
    assert lived(host) == [(at(57), at(60), "down", "maintenance")]
    assert states(host) == [(at(0), "up"), (at(57), "down"), (at(60), "maintenance")]
    assert not Incident.objects.get().news
    host.refresh_from_db()
    assert (host.state, host.state_since) == ("maintenance", at(60))
    record([noticed(host, 120, State.UP)])
    assert len(lived(host)) == 1


def test_what_got_worse_or_better_before_maintenance_and_is_known_only_in_it_is_on_record() -> None:
    worse, better = new_host("worse"), new_host("better")
    for host in (worse, better):
        record([noticed(host, 0, State.DEGRADED, "loss"), noticed(host, 60, State.MAINTENANCE)])
    record([hide(worse, 50, State.DOWN, "lost_in_row", value=5, limit=5), hide(better, 50, State.UP)])
    assert lived(worse) == [(at(0), at(60), "down", "maintenance")]
    assert lived(better) == [(at(0), at(50), "degraded", "recovered")]
    assert states(better) == [(at(0), "degraded"), (at(50), "up"), (at(60), "maintenance")]


@pytest.mark.parametrize("covered", [False, True])
def test_what_began_before_a_gap_on_record_began_then_all_the_same(covered: bool) -> None:
    host = new_host()
    record([noticed(host, 0, State.UP)])
    record([noticed(host, 30, State.NOT_MEASURED, gap=True), noticed(host, 40, State.UP, gap=True)])
    record([noticed(host, 60, State.MAINTENANCE)] if covered else [])
    record([noticed(host, 20, State.DEGRADED, "loss", hidden=covered)])
    known = [(at(0), "up"), (at(20), "degraded"), (at(30), "not_measured"), (at(40), "degraded")]
    assert states(host)[:4] == known
    assert lived(host)[0][0] == at(20)
    if not covered:
        record([noticed(host, 50, State.UP)])
        assert states(host) == [*known, (at(50), "up")]


def test_hosts_that_go_down_together_are_one_incident_however_long_each_is_waited_for() -> None:
    """Two timeouts are half a second, two the longest there is."""
    hosts = [new_host(f"h{place}", timeout=timeout) for place, timeout in enumerate((0.5, 0.5, 30, 30))]
    for host in hosts:
        known = START + round((5 + host.timeout) * SECOND)
        record([Noticed(host.pk, START, State.DOWN, known, "lost_in_row", judged_until=START + 5 * SECOND)])
    gather(at(36), 4)
    assert len(news()) == 4, "what was noticed half a minute ago was told by itself"
    gather(at(36), 4, patience=2 + 30 + 5)
    assert [incident.host for incident in news()] == [None]
