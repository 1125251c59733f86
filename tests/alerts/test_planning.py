"""Who is told what and when: time is passed in, and nothing is sent."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from monitor.alerts import count_failing, count_reminders, plan
from monitor.courier import claim, note, prepare
from monitor.models import Delivery, Fate, Host, Incident, Occasion
from monitor.quiet import end_quiet
from tests.alerts.services import make_channel, make_incident
from tests.watch.sites import watch

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
HOUR = 60 * MINUTE


def tell(now: dt.datetime, *, storm: bool = False) -> list[str]:
    """Plan and send all that is due; the titles of what was said."""
    plan(now, storm=storm)
    said = []
    while found := claim("alice", [], 99, now):
        for delivery in found:
            if order := prepare(delivery, now):
                said.append(order["title"])
                assert note(delivery, {"ok": True, "final": False}, "200 OK", now)
    return said


def end(incident: Incident, at: dt.datetime) -> None:
    """It is over, and that is news."""
    Incident.objects.filter(pk=incident.pk).update(ended_at=at, end_noticed_at=at, ending="recovered", news=True)


def fates(**which: Any) -> list[tuple[str, str]]:
    """What is in the outbox."""
    return list(Delivery.objects.filter(**which).order_by("pk").values_list("occasion", "fate"))


def test_down_and_up_again_are_told_once_each() -> None:
    make_channel("json://x")
    (host,) = watch("gateway")
    incident = make_incident(host, NOON)
    assert tell(NOON) == ["✕ gateway is down since 12:00:00: 5 pings in a row had no reply"]
    assert tell(NOON + MINUTE) == []
    end(incident, NOON + 12 * MINUTE)
    assert tell(NOON + 13 * MINUTE) == ["✓ gateway is up again since 12:12:00, after 12 min"]
    assert tell(NOON + 14 * MINUTE) == []


def test_planning_the_same_news_again_plans_nothing() -> None:
    make_channel("json://x")
    make_incident(watch("alice")[0], NOON)
    assert plan(NOON, storm=False) == 1
    Incident.objects.update(news=True)
    assert plan(NOON, storm=False) == 0
    assert Delivery.objects.count() == 1


def test_an_escalation_is_told_and_degraded_only_to_those_who_wish() -> None:
    make_channel("json://x", name="all")
    make_channel("json://x", name="down alone", tells_degraded=False)
    incident = make_incident(watch("alice")[0], NOON, state="degraded", reason="loss", measure={"value": 0.0825})
    assert tell(NOON) == ["▲ alice is degraded since 12:00:00: at least 8.25 % of pings had no reply"]
    Incident.objects.filter(pk=incident.pk).update(state="down", news=True)
    assert len(tell(NOON + MINUTE)) == 2


def test_what_was_over_before_anybody_was_told_is_one_message() -> None:
    make_channel("json://x")
    incident = make_incident(watch("alice")[0], NOON)
    end(incident, NOON + MINUTE)
    assert tell(NOON + 2 * MINUTE) == ["✕ alice was down from 12:00:00 to 12:01:00: 5 pings in a row had no reply"]


def test_a_channel_hears_of_its_hosts_groups_and_tags_alone() -> None:
    alice, bob, carol = watch("alice", "bob", "carol")
    Host.objects.filter(pk=bob.pk).update(group="core")
    Host.objects.filter(pk=carol.pk).update(tags=["wired"])
    make_channel("json://x", name="one").hosts.add(alice)
    make_channel("json://x", name="two", groups=["core"])
    make_channel("json://x", name="three", tags=["wired"])
    for host in Host.objects.all():
        make_incident(host, NOON)
    tell(NOON)
    found = Delivery.objects.order_by("channel").values_list("channel__name", "incident__host__name")
    assert set(found) == {("one", "alice"), ("two", "bob"), ("three", "carol")}


def test_behind_a_parent_that_is_down_nothing_is_told_and_why_is_kept() -> None:
    make_channel("json://x")
    gateway, alice = watch("gateway", "alice")
    incident = make_incident(alice, NOON, behind=gateway)
    assert tell(NOON) == []
    assert fates() == [(Occasion.DOWN, Fate.WITHHELD)]
    end(incident, NOON + MINUTE)
    assert tell(NOON + MINUTE) == []


def test_two_hundred_hosts_down_at_once_are_one_message() -> None:
    make_channel("json://x")
    hosts = watch(*[f"host {place}" for place in range(200)])
    parts = [make_incident(host, NOON) for host in hosts]
    assert tell(NOON, storm=True) == []
    network = make_incident(None, NOON)
    Incident.objects.filter(pk__in=[part.pk for part in parts]).update(part_of=network)
    assert tell(NOON + 4 * dt.timedelta(seconds=1), storm=True) == [
        "✕ 200 of 200 hosts are down since 12:00:00: this server's own network"
    ]
    for each in [*parts, network]:
        end(each, NOON + MINUTE)
    assert tell(NOON + 2 * MINUTE) == ["✓ this server's own network is up again since 12:01:00, after 1 min"]


def test_still_down_is_said_after_an_hour_and_then_ever_more_rarely() -> None:
    make_channel("json://x", repeat_minutes=60)
    make_incident(watch("alice")[0], NOON)
    tell(NOON)
    hours = [hour for hour in range(1, 49) if tell(NOON + hour * HOUR)]
    assert hours == [1, 3, 7, 15, 31]
    assert [count_reminders(hour * HOUR, 60) for hour in (0, 1, 2, 3, 6, 7)] == [0, 1, 1, 2, 2, 3]


def test_a_day_of_flapping_is_told_in_six_messages() -> None:
    make_channel("json://x")
    (host,) = watch("alice")
    said: list[str] = []
    for minute in range(0, 24 * 60, 4):
        incident = make_incident(host, NOON + minute * MINUTE)
        said += tell(NOON + minute * MINUTE)
        end(incident, NOON + (minute + 2) * MINUTE)
        said += tell(NOON + (minute + 2) * MINUTE)
    said += [title for minute in range(0, 60, 4) for title in tell(NOON + 24 * HOUR + minute * MINUTE)]
    assert [title[0] for title in said] == ["✕", "✓", "✕", "✓", "▲", "✓"]
    assert "is flapping" in said[4]
    assert "is calm again" in said[5]


def test_a_host_that_flapped_and_stays_down_is_told_to_be_down_and_then_up() -> None:
    make_channel("json://x", repeat_minutes=0)
    (host,) = watch("alice")
    said: list[str] = []
    for place in range(3):
        incident = make_incident(host, NOON + 4 * place * MINUTE)
        said += tell(NOON + 4 * place * MINUTE)
        if place < 2:
            end(incident, NOON + (4 * place + 2) * MINUTE)
            said += tell(NOON + (4 * place + 2) * MINUTE)
    said += [title for minute in range(9, 60) for title in tell(NOON + minute * MINUTE)]
    end(incident, NOON + HOUR)
    said += tell(NOON + HOUR)
    assert [title[0] for title in said] == ["✕", "✓", "✕", "✓", "▲", "✕", "✓"]


def test_quiet_hours_hold_a_message_and_it_says_that_it_waited() -> None:
    make_channel("json://x", quiet_from=dt.time(22), quiet_until=dt.time(7))
    night = NOON.replace(hour=23)
    make_incident(watch("alice")[0], night)
    assert tell(night) == []
    assert tell(night + 7 * HOUR) == []
    plan(night + 8 * HOUR, storm=False)
    (delivery,) = claim("alice", [], 9, night + 8 * HOUR)
    order = prepare(delivery, night + 8 * HOUR)
    assert order
    assert "This message waited for the end of the quiet hours, 8 h." in order["body"]


def test_what_recovered_in_quiet_hours_is_withheld_with_the_reason_both() -> None:
    make_channel("json://x", quiet_from=dt.time(22), quiet_until=dt.time(7))
    night = NOON.replace(hour=23)
    incident = make_incident(watch("alice")[0], night)
    tell(night)
    end(incident, night + HOUR)
    assert [title for hour in range(1, 20) for title in tell(night + hour * HOUR)] == []
    assert fates() == [(Occasion.DOWN, Fate.WITHHELD), (Occasion.RECOVERED, Fate.WITHHELD)]
    assert all(Delivery.objects.values_list("outcome", flat=True))


def test_times_are_of_the_zone_and_words_of_the_language_of_the_channel() -> None:
    make_channel("json://x", zone="Asia/Seoul", language="ko")
    make_incident(watch("alice")[0], NOON)
    (title,) = tell(NOON)
    assert "21:00:00" in title
    assert " is down" not in title


@pytest.mark.parametrize(
    ("zone", "now", "over"),
    [
        # From 22:00 to 07:00 of the wall clock, over the night in which summer time begins and ends.
        ("Europe/Berlin", "2026-03-28T21:30:00+00:00", "2026-03-29T05:00:00+00:00"),
        ("Europe/Berlin", "2026-10-24T21:30:00+00:00", "2026-10-25T06:00:00+00:00"),
        ("America/New_York", "2026-03-08T04:00:00+00:00", "2026-03-08T11:00:00+00:00"),
        ("America/New_York", "2026-11-01T04:00:00+00:00", "2026-11-01T12:00:00+00:00"),
        ("Australia/Sydney", "2026-10-03T13:00:00+00:00", "2026-10-03T20:00:00+00:00"),
        ("Australia/Sydney", "2026-04-04T12:00:00+00:00", "2026-04-04T21:00:00+00:00"),
        ("Asia/Seoul", "2026-03-28T21:59:59+00:00", "2026-03-28T22:00:00+00:00"),
        ("Asia/Seoul", "2026-03-28T22:00:00+00:00", None),
    ],
)
def test_quiet_hours_follow_the_wall_clock(zone: str, now: str, over: str | None) -> None:
    found = end_quiet(dt.datetime.fromisoformat(now), zone, dt.time(22), dt.time(7))
    assert found == (over and dt.datetime.fromisoformat(over))


def test_channels_that_cannot_be_spoken_to_are_counted_until_they_can() -> None:
    make_channel("json://x")
    make_incident(watch("alice")[0], NOON)
    plan(NOON, storm=False)
    assert count_failing() == 0
    (delivery,) = claim("alice", [], 9, NOON)
    note(delivery, {"ok": False, "final": False}, "500", NOON)
    assert count_failing() == 1
    assert tell(timezone.now()) != []
    assert count_failing() == 0


def test_what_is_still_bad_costs_no_query_for_each_host() -> None:
    for name in ("one", "two"):
        make_channel("json://x", name=name)
    hosts = watch(*(f"host-{number}" for number in range(20)))
    for host in hosts:
        make_incident(host, NOON)
    tell(NOON)
    plan(NOON + 2 * HOUR, storm=False)
    with CaptureQueriesContext(connection) as queries:
        assert plan(NOON + 2 * HOUR, storm=False) == 0
    assert Delivery.objects.filter(occasion=Occasion.STILL).count() == 40
    assert len(queries) < 15


def test_a_storm_holds_news_as_long_again_as_it_took_to_be_certain_of_it() -> None:
    make_channel("json://x")
    (host,) = watch("alice", timeout=5.0)
    make_incident(host, NOON, noticed_at=NOON + dt.timedelta(seconds=9))
    assert plan(NOON + dt.timedelta(seconds=20), storm=True) == 0
    assert plan(NOON + dt.timedelta(seconds=21), storm=True) == 1


def test_flapping_in_quiet_hours_is_not_told_when_it_is_calm_before_they_are_over() -> None:
    make_channel("json://x", quiet_from=dt.time(22), quiet_until=dt.time(7))
    (host,) = watch("alice")
    night = NOON.replace(hour=23)
    for minute in range(40):
        now = night + minute * MINUTE
        if minute < 20 and minute % 4 == 0:
            incident = make_incident(host, now)
        elif minute < 20 and minute % 4 == 2:
            end(incident, now)
        assert tell(now) == []
    assert tell(night + 9 * HOUR) == []
    said = dict(Delivery.objects.filter(occasion=Occasion.FLAPPING).values_list("fate", "outcome"))
    assert said == {Fate.WITHHELD: "It was calm again before the quiet hours were over."}
    assert set(fates()) >= {(Occasion.FLAPPING, Fate.WITHHELD), (Occasion.RECOVERED, Fate.WITHHELD)}
    assert all(fate == Fate.WITHHELD for _, fate in fates())


def test_flapping_that_goes_on_until_quiet_hours_are_over_is_told_then() -> None:
    make_channel("json://x", quiet_from=dt.time(22), quiet_until=dt.time(23, 30))
    (host,) = watch("alice")
    said = []
    for minute in range(90):
        now = NOON.replace(hour=22, minute=30) + minute * MINUTE
        if minute % 4 == 0:
            incident = make_incident(host, now)
        elif minute % 4 == 2:
            end(incident, now)
        said += tell(now)
    assert [title[0] for title in said] == ["▲"]


def test_a_service_that_is_gone_for_a_day_is_tried_all_the_while_and_told_when_it_is_back() -> None:
    make_channel("json://x")
    make_incident(watch("alice")[0], NOON)
    plan(NOON, storm=False)
    now, attempts = NOON, 0
    while now < NOON + 24 * HOUR:
        (message,) = claim("alice", [], 9, now)
        assert prepare(message, now)
        note(message, {"ok": False, "final": False}, "Connection refused", now)
        attempts += 1
        now = Delivery.objects.get().due_at
    (message,) = claim("alice", [], 9, now)
    said = prepare(message, now)
    note(message, {"ok": True, "final": True}, "200 OK", now)
    assert said
    assert "This message is 1 d" in said["body"]
    assert Delivery.objects.get().fate == Fate.SENT
    assert 24 <= attempts <= 30
