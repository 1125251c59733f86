"""Reads incidents: a list by filter, those of a host in a stretch of time, what else was bad, packets around one."""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db.models import Case, Count, IntegerField, Prefetch, Q, QuerySet, Value, When

from monitor.health import State
from monitor.minutes import read_minutes
from monitor.models import Delivery, Fate, Host, Incident, Transition
from monitor.packing import NOT_MEASURED

LATELY = dt.timedelta(days=30)
# What is shown before an incident began and after it ended.
MARGIN = dt.timedelta(minutes=5)
# So many parts of a network incident stand in the list; its own page has more.
SOME = 20
MOST = 300
# Of so many packets at its beginning, and as many at its end, each has a row.
BEFORE, AFTER = 10, 40
# A day of packets takes 100 ms to read.
LONGEST_COUNT = dt.timedelta(days=1)
STATES = (State.DEGRADED.value, State.DOWN.value)
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Choice:
    """Which incidents somebody wants to see: of a host (its slug or name), of a group, of a state, begun in a month
    (UTC)."""

    host: str = ""
    group: str = ""
    state: str = ""
    month: str = ""

    @property
    def narrows(self) -> bool:
        """Whether it leaves out anything that the list shows otherwise."""
        return bool(self.host or self.group or self.state or self.month)


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet that was due then, and what came of it: a round trip in µs, or a code (`monitor.packing`)."""

    due_at: dt.datetime
    value: int


@dataclass(frozen=True, slots=True)
class Around:
    """The packets of an incident: the first of it and the last, each with some before and behind, and how many were
    sent and lost in it; None where that is too long to count."""

    onset: list[Packet]
    recovery: list[Packet]
    sent: int | None
    lost: int | None


def read_choice(query: Mapping[str, str]) -> Choice:
    """The choice of a query; what makes no sense chooses nothing."""
    state, month = query.get("state", ""), query.get("month", "")
    return Choice(
        host=query.get("host", "")[:100].replace("\0", ""),
        group=query.get("group", "")[:100].replace("\0", ""),
        state=state if state in STATES else "",
        month=month if find_month(month) else "",
    )


def find_month(text: str) -> tuple[dt.datetime, dt.datetime] | None:
    """When a month (2026-11) begins and ends, by UTC."""
    found = re.fullmatch(r"([0-9]{4})-([0-9]{2})", text)
    if not found or not 1970 <= int(found[1]) < 9999 or not 1 <= int(found[2]) <= 12:
        return None
    since = dt.datetime(int(found[1]), int(found[2]), 1, tzinfo=dt.UTC)
    return since, (since + dt.timedelta(days=32)).replace(day=1)


def list_incidents(choice: Choice, now: dt.datetime) -> QuerySet[Incident]:
    """The incidents of a choice, open ones first and then the newest; without a month those of the last 30 days, and
    all that go on. Parts of an incident of the network are listed by themselves only where a host or group is asked."""
    found = Incident.objects.select_related("host", "behind", "part_of")
    if month := find_month(choice.month):
        found = found.filter(began_at__gte=month[0], began_at__lt=month[1])
    else:
        found = found.filter(Q(began_at__gte=now - LATELY) | Q(ended_at__isnull=True))
    if choice.host:
        found = found.filter(Q(host__slug=choice.host) | Q(host__name__iexact=choice.host))
    wanted = {"host__group": choice.group, "state": choice.state}
    found = found.filter(**{name: value for name, value in wanted.items() if value})
    if not (choice.host or choice.group):
        found = found.filter(part_of__isnull=True)
    over = Case(When(ended_at__isnull=True, then=Value(0)), default=Value(1), output_field=IntegerField())
    return found.order_by(over, "-began_at", "-pk")


def add_details(found: QuerySet[Incident]) -> QuerySet[Incident]:
    """The same, each with how many parts it has and `some_parts`, and with the messages that went out as `told`."""
    parts = Incident.objects.select_related("host").order_by("began_at", "pk")[:SOME]
    told = Delivery.objects.filter(fate=Fate.SENT).select_related("channel").order_by("created_at")
    return found.annotate(number=Count("parts")).prefetch_related(
        Prefetch("parts", parts, to_attr="some_parts"), Prefetch("deliveries", told, to_attr="told")
    )


def count_open() -> int:
    """How many incidents go on; those of one cause are one."""
    return Incident.objects.filter(ended_at__isnull=True, part_of__isnull=True).count()


def list_groups() -> list[str]:
    """The groups that hosts have."""
    return list(Host.objects.exclude(group="").order_by("group").values_list("group", flat=True).distinct())


def list_last(host: Host, number: int) -> list[Incident]:
    """The last incidents of a host, the newest first."""
    return list(host.incidents.select_related("host", "behind").order_by("-began_at")[:number])


def list_between(host: Host, since: dt.datetime, until: dt.datetime) -> list[Incident]:
    """Those that a stretch of time touches, by time; at most a thousand."""
    touching = Q(ended_at__isnull=True) | Q(ended_at__gt=since)
    return list(host.incidents.filter(touching, began_at__lt=until).order_by("began_at")[:1000])


def list_beside(incident: Incident, now: dt.datetime) -> list[Incident]:
    """What else was bad at that time, of other hosts; the parts of it, where it is one of the network."""
    found = Incident.objects.select_related("host", "behind").order_by("began_at", "pk")
    if incident.host_id is None:
        return list(incident.parts.select_related("host", "behind").order_by("began_at", "pk")[:MOST])
    touching = Q(ended_at__isnull=True) | Q(ended_at__gt=incident.began_at)
    others = found.filter(touching, began_at__lt=incident.ended_at or now, host__isnull=False)
    return list(others.exclude(host=incident.host_id)[:MOST])


def list_course(incident: Incident, now: dt.datetime) -> list[Transition]:
    """How the states of its host followed one another from its beginning to its end."""
    if incident.host_id is None:
        return []
    until = incident.ended_at or now
    found = Transition.objects.filter(host=incident.host_id, at__gte=incident.began_at, at__lte=until)
    return list(found.order_by("at")[:MOST])


def find_stretch(incident: Incident, now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """From five minutes before it began until five after it ended, or now."""
    return incident.began_at - MARGIN, min(now, (incident.ended_at or now) + MARGIN)


def read_around(incident: Incident, now: dt.datetime) -> Around:
    """The packets around an incident's beginning and end; none where they are no longer kept."""
    end = incident.ended_at or now
    host, began = incident.host_id or 0, incident.began_at
    onset = _cut(read_packets(host, began - MARGIN, began + MARGIN), began)
    recovery = _cut(read_packets(host, end - MARGIN, end + MARGIN), end) if incident.ended_at else []
    if end - began > LONGEST_COUNT:
        return Around(onset, recovery, None, None)
    values = [packet.value for packet in read_packets(host, began, end) if packet.value > NOT_MEASURED]
    sent = len(values)
    return Around(onset, recovery, sent or None, sum(value < 0 for value in values) if sent else None)


def read_packets(host: int, since: dt.datetime, until: dt.datetime) -> Iterator[Packet]:
    """Every packet of a host due from one time on until before another, by time."""
    first, last = round(since.timestamp() * 1000), round(until.timestamp() * 1000)
    for minute, slots in read_minutes(host, first // MINUTE_MS, -(-last // MINUTE_MS)):
        for place, value in enumerate(slots.values):
            at = minute * MINUTE_MS + slots.offset_ms + place * slots.interval_ms
            if first <= at < last:
                yield Packet(dt.datetime.fromtimestamp(at / 1000, dt.UTC), value)


def _cut(packets: Iterator[Packet], moment: dt.datetime) -> list[Packet]:
    found = list(packets)
    # Slots are of whole milliseconds, and a beginning of a packet is the same time in microseconds.
    edge = moment - dt.timedelta(milliseconds=1)
    place = next((place for place, packet in enumerate(found) if packet.due_at >= edge), len(found))
    return found[max(0, place - BEFORE) : place + AFTER]
