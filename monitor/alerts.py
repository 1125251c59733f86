"""What is to be told to whom, and when: a row in the outbox for each message.

Everything here may be done again: a message is told from the others by its channel, incident, occasion and number.
"""

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_noop

from monitor.health import State
from monitor.models import Channel, Delivery, Fate, Host, Incident, Occasion
from monitor.quiet import end_quiet

# In a storm news is so old before it is told: by then it is known whether it is one incident of this server's network.
GATHER = dt.timedelta(seconds=3)
# Others, of which a moment was not measured, are certain later by as long as this one took, which is no longer than so.
LONGEST_AGAIN = dt.timedelta(seconds=10)
# A host that went bad so often in so long is flapping, and calm when nothing happened for as long.
FLAPS = 3
FLAPPING = dt.timedelta(minutes=15)
BAD = (Occasion.DOWN, Occasion.DEGRADED)
# A channel and an incident, by their ids.
Told = tuple[int, int]
RECOVERED_MEANWHILE = gettext_noop("It recovered before the quiet hours were over.")
CALM_MEANWHILE = gettext_noop("It was calm again before the quiet hours were over.")
NOT_TOLD = gettext_noop("It was not told that it was bad.")
BEHIND = gettext_noop("The host that it is reached through was bad already.")


def plan(now: dt.datetime, *, storm: bool, held: Collection[int] = ()) -> int:
    """Plan the messages of what is new and of what is still bad, once each; how many are to be sent. It blocks, and
    raises what the database raises. In a `storm` news of the last seconds wait: it may be this server's own network.
    Those of hosts that are `held` wait too: it may be one that they are reached through."""
    with transaction.atomic():
        news = Incident.objects.select_for_update(of=("self",)).select_related("host").filter(news=True)
        known = [incident for incident in news.order_by("began_at") if incident.host_id not in held]
        found = [incident for incident in known if not (storm and _is_fresh(incident, now))]
        routes = _read_routes() if found or Channel.objects.filter(enabled=True).exists() else []
        planned = [message for incident in found for message in _plan_news(incident, routes, now)]
        Incident.objects.filter(pk__in=[incident.pk for incident in found]).update(news=False)
        if routes:
            planned += [*_plan_calm(now), *_plan_plain(routes, now), *_plan_reminders(routes, now)]
        return _insert(planned)


def count_failing() -> int:
    """How many channels in use cannot be spoken to at present: their last message failed, or is tried again."""
    latest = Delivery.objects.filter(channel=OuterRef("pk"), attempts__gt=0).order_by("-created_at", "-pk")
    last = latest.exclude(fate=Fate.WITHHELD).values("fate")[:1]
    failed = Channel.objects.filter(enabled=True).annotate(last=last)
    return failed.filter(last__in=(Fate.FAILED, Fate.WAITING)).count()


def _is_fresh(incident: Incident, now: dt.datetime) -> bool:
    """Whether it became known just now that a host went bad; others may become known as long again after it."""
    if incident.host_id is None:
        return False
    again = min(incident.noticed_at - incident.began_at, LONGEST_AGAIN)
    return incident.noticed_at + again + GATHER > now


class Route:
    """A channel, and which hosts it is for."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self._hosts = {host.pk for host in channel.hosts.all()}
        self._everything = not (self._hosts or channel.groups or channel.tags)

    def leads_from(self, hosts: Iterable[Host]) -> bool:
        """Whether it is for any of the hosts."""
        return self._everything or any(self._is_for(host) for host in hosts)

    def _is_for(self, host: Host) -> bool:
        tagged = bool(set(self.channel.tags) & set(host.tags or []))
        return host.pk in self._hosts or (host.group in self.channel.groups) or tagged


def _read_routes() -> list[Route]:
    return [Route(channel) for channel in Channel.objects.filter(enabled=True).prefetch_related("hosts")]


def _plan_news(incident: Incident, routes: list[Route], now: dt.datetime) -> list[Delivery]:
    """The messages of what happened to an incident since last time."""
    if incident.ended_at and (told := _told(incident)):
        return [] if incident.flapping else _plan_recovery(incident, told, now)
    if incident.part_of_id or incident.flapping:
        return []
    hosts = [incident.host] if incident.host else [part.host for part in incident.parts.select_related("host")]
    meant = [route.channel for route in routes if route.leads_from([host for host in hosts if host])]
    if incident.behind_id:
        return [_withhold(channel, incident, BEHIND, now) for channel in meant]
    if _is_flapping(incident):
        return _plan_flapping(incident, meant, now)
    return [_plan_badness(channel, incident, now) for channel in meant if _is_worth_telling(channel, incident)]


def _told(incident: Incident) -> list[Delivery]:
    """The first message of each channel that was told, or is about to be, that it is bad."""
    sent = incident.deliveries.filter(occasion__in=BAD).exclude(fate=Fate.WITHHELD).select_related("channel")
    return list({message.channel_id: message for message in sent.order_by("-created_at")}.values())


def _plan_badness(channel: Channel, incident: Incident, now: dt.datetime) -> Delivery:
    occasion = Occasion.DOWN if incident.state == State.DOWN else Occasion.DEGRADED
    # An escalation is news of this moment; what is told for the first time was to be told when it was noticed.
    first = not incident.deliveries.filter(channel=channel).exists()
    return _message(channel, incident, occasion, now, created_at=min(now, incident.noticed_at) if first else now)


def _is_worth_telling(channel: Channel, incident: Incident) -> bool:
    return channel.tells_degraded or incident.state == State.DOWN


def _plan_recovery(incident: Incident, told: list[Delivery], now: dt.datetime) -> list[Delivery]:
    """Whoever was told hears of the end. What waited for quiet hours to be over, and matters no more, is withheld."""
    planned = []
    for message in told:
        waiting = Delivery.objects.filter(channel=message.channel, incident=incident)
        if _take_back(waiting, RECOVERED_MEANWHILE, now) and not _was_told(message.channel, incident):
            planned.append(_withhold(message.channel, incident, NOT_TOLD, now, Occasion.RECOVERED))
        elif message.channel.tells_recovery:
            at = min(now, incident.end_noticed_at or now)
            planned.append(_message(message.channel, incident, Occasion.RECOVERED, now, created_at=at))
    return planned


def _take_back(messages: QuerySet[Delivery], why: str, now: dt.datetime) -> int:
    """Withhold those that wait for quiet hours to be over, and matter no more; how many they were."""
    waiting = messages.filter(fate=Fate.WAITING, attempts=0, due_at__gt=now)
    return waiting.update(fate=Fate.WITHHELD, outcome=why, ended_at=now)


def _was_told(channel: Channel, incident: Incident) -> bool:
    return incident.deliveries.filter(channel=channel, occasion__in=BAD).exclude(fate=Fate.WITHHELD).exists()


def _is_flapping(incident: Incident) -> bool:
    """Whether its host goes bad again and again: the third time in a quarter of an hour, or since it was last calm."""
    if incident.host is None:
        return False
    past = Incident.objects.filter(host=incident.host, began_at__lte=incident.began_at)
    if past.filter(began_at__gt=incident.began_at - FLAPPING).count() >= FLAPS:
        return True
    before = past.exclude(pk=incident.pk).order_by("-began_at").first()
    return bool(before and before.flapping and before.ended_at and incident.began_at - before.ended_at < FLAPPING)


def _plan_flapping(incident: Incident, meant: list[Channel], now: dt.datetime) -> list[Delivery]:
    """One message for all that is to come until it is calm; of an episode that goes on there is nothing to tell."""
    Incident.objects.filter(pk=incident.pk).update(flapping=True)
    going_on = _episodes().filter(incident__host=incident.host).values_list("channel_id", flat=True)
    return [
        _message(channel, incident, Occasion.FLAPPING, now)
        for channel in meant
        if _is_worth_telling(channel, incident) and channel.pk not in set(going_on)
    ]


def _episodes() -> QuerySet[Delivery]:
    """What was said of hosts that flap, and has not come to an end."""
    end = Delivery.objects.filter(
        channel=OuterRef("channel"), incident=OuterRef("incident"), occasion=Occasion.RECOVERED
    )
    flapping = Delivery.objects.filter(occasion=Occasion.FLAPPING).exclude(fate=Fate.WITHHELD).exclude(Exists(end))
    return flapping.select_related("channel", "incident")


def _plan_calm(now: dt.datetime) -> list[Delivery]:
    """Of a host that flapped and was well for a quarter of an hour, that it is calm, to whom it was told."""
    planned = []
    for message in _episodes():
        last = Incident.objects.filter(host__incidents=message.incident_id).order_by("-began_at").first()
        if not last or not last.ended_at or now - last.ended_at < FLAPPING:
            continue
        if _take_back(Delivery.objects.filter(pk=message.pk), CALM_MEANWHILE, now):
            planned.append(_withhold(message.channel, last, NOT_TOLD, now, Occasion.RECOVERED))
        else:
            planned.append(_message(message.channel, message.incident, Occasion.RECOVERED, now))
    return planned


def _plan_plain(routes: list[Route], now: dt.datetime) -> list[Delivery]:
    """Of a host that flapped and has been bad for a quarter of an hour on end, that it is down: it flaps no more."""
    planned = []
    lasting = Incident.objects.filter(flapping=True, ended_at__isnull=True, began_at__lte=now - FLAPPING)
    for incident in lasting.select_related("host"):
        over = [message.channel_id for message in _episodes().filter(incident__host=incident.host)]
        told = Delivery.objects.filter(incident__host=incident.host, channel__in=over, occasion=Occasion.FLAPPING)
        Incident.objects.filter(pk=incident.pk).update(flapping=False)
        ended = _withhold_calm(told, now)
        planned += [
            *ended,
            *(_plan_badness(route.channel, incident, now) for route in routes if route.channel.pk in over),
        ]
    return planned


def _withhold_calm(told: QuerySet[Delivery], now: dt.datetime) -> list[Delivery]:
    why = gettext_noop("It stayed bad.")
    return [
        _withhold(message.channel, message.incident, why, now, Occasion.RECOVERED, number=1)
        for message in told.select_related("channel", "incident")
        if message.incident
    ]


def _plan_reminders(routes: list[Route], now: dt.datetime) -> list[Delivery]:
    """Of what is still bad, after so many minutes, and then twice as many each time; none while one waits."""
    channels = {route.channel.pk: route.channel for route in routes if route.channel.repeat_minutes}
    # The open ones first, and figures alone: they are few, messages are many, and this is twice a second.
    still = Incident.objects.filter(ended_at=None, flapping=False, part_of=None, behind=None).order_by()
    first, said, waiting = _read_told(list(still.values_list("pk", flat=True)))
    due = {
        key: number
        for key, at in first.items()
        if key[0] in channels and key not in waiting
        and (number := count_reminders(now - at, channels[key[0]].repeat_minutes)) and (*key, number) not in said
    }  # fmt: skip
    incidents = Incident.objects.in_bulk({incident for _, incident in due})
    return [
        _message(channels[channel], incidents[incident], Occasion.STILL, now, number=number)
        for (channel, incident), number in due.items()
    ]


def _read_told(incidents: list[int]) -> tuple[dict[Told, dt.datetime], set[tuple[int, int, int]], set[Told]]:
    """Of these incidents, by channel: since when it is told, the reminders there are, and where a message waits."""
    rows = Delivery.objects.filter(incident__in=incidents).order_by("-created_at")
    names = ("channel_id", "incident_id", "occasion", "number", "fate", "created_at")
    first: dict[Told, dt.datetime] = {}
    said, waiting = set(), set()
    for channel, incident, occasion, number, fate, at in rows.values_list(*names):
        if fate in (Fate.WAITING, Fate.SENDING):
            waiting.add((channel, incident))
        if occasion == Occasion.STILL:
            said.add((channel, incident, number))
        elif occasion in BAD and fate == Fate.SENT:
            first[channel, incident] = at
    return first, said, waiting


def count_reminders(passed: dt.timedelta, minutes: int) -> int:
    """How many reminders are due after so long: after `minutes`, then after twice as many more, and so on."""
    return (int(passed / dt.timedelta(minutes=minutes)) + 1).bit_length() - 1 if passed > dt.timedelta() else 0


def _message(channel: Channel, incident: Any, occasion: Occasion, now: dt.datetime, **fields: Any) -> Delivery:
    """A message to be sent now, or when the channel's quiet hours are over."""
    over = end_quiet(now, channel.zone, channel.quiet_from, channel.quiet_until)
    fields = {"created_at": now, "due_at": over or now, "held": over is not None} | fields
    return Delivery(channel=channel, incident=incident, occasion=occasion, **fields)


def _withhold(
    channel: Channel, incident: Incident, why: str, now: dt.datetime, occasion: Occasion | None = None, number: int = 0
) -> Delivery:
    occasion = occasion or (Occasion.DOWN if incident.state == State.DOWN else Occasion.DEGRADED)
    fields = {
        "fate": Fate.WITHHELD,
        "outcome": why,
        "created_at": now,
        "due_at": now,
        "ended_at": now,
        "number": number,
    }
    return Delivery(channel=channel, incident=incident, occasion=occasion, **fields)


def _insert(planned: list[Delivery]) -> int:
    """Insert what is not there yet; how many of those are to be sent."""
    there = Delivery.objects.filter(incident__in={message.incident_id for message in planned})
    known = set(there.values_list("channel_id", "incident_id", "occasion", "number")) if planned else set()
    new = [message for message in planned if _key(message) not in known]
    Delivery.objects.bulk_create(new, ignore_conflicts=True)
    return sum(message.fate == Fate.WAITING for message in new)


def _key(message: Delivery) -> tuple[int, int | None, str, int]:
    return message.channel_id, message.incident_id, str(message.occasion), message.number
