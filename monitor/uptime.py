"""Add up how a host was: time in each state to the microsecond, and what was lost, of days, months and years.

Time comes from transitions. Uptime is a share of known time only: up, degraded or down. Maintenance, pauses and what
was not measured are beside it. What was lost comes from the figures of hours and minutes outside maintenance.
"""

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Max

from monitor.book import tally_minute
from monitor.health import State
from monitor.histogram import pack_wide, unpack_narrow
from monitor.models import Host, Hour, Incident, Minute, Transition
from monitor.ping.summary import Summary
from monitor.tally import FIGURES, Row

MICROSECOND, MINUTE = dt.timedelta(microseconds=1), dt.timedelta(minutes=1)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MINUTE_MS, HOUR_MS = 60_000, 3_600_000

Span = tuple[dt.datetime, dt.datetime]


class Segment(NamedTuple):
    """A time in which a host was in one state."""

    state: State
    start: dt.datetime
    end: dt.datetime


@dataclass(slots=True)
class Account:
    """How a host was between two times: µs in each state, and the rows of figures outside maintenance.

    `exact` is False where minutes beside maintenance are kept no more, so that whole hours are left out with it.
    """

    since: dt.datetime
    until: dt.datetime
    us: dict[State, int]
    rows: list[Row] = field(default_factory=list, repr=False)
    exact: bool = True

    @property
    def known_us(self) -> int:
        """Time of which it is known how the host was."""
        return sum(self.us.get(state, 0) for state in (State.UP, State.DEGRADED, State.DOWN))

    @property
    def unmeasured_us(self) -> int:
        """Time in which it was to be measured and was not."""
        return self.us.get(State.NOT_MEASURED, 0) + self.us.get(State.STARTING, 0)

    @property
    def uptime(self) -> float | None:
        """The share of known time in which the host answered, degraded or not: 0 to 1."""
        return 1 - self.us.get(State.DOWN, 0) / self.known_us if self.known_us else None

    @property
    def unmeasured(self) -> float | None:
        """The share not measured, of what was to be measured."""
        total = self.known_us + self.unmeasured_us
        return self.unmeasured_us / total if total else None

    @property
    def packets(self) -> Summary:
        """Packets sent and received; the loss and its 95 % interval come from these."""
        return Summary(sent=sum(row[1] for row in self.rows), received=sum(row[2] for row in self.rows))


def read_accounts(host: Host, spans: Sequence[Span], now: dt.datetime) -> list[Account]:
    """How a host was in each of these spans, which follow one another; what is still to come is cut off."""
    spans = [(since, min(until, now)) for since, until in spans if since < now]
    if not spans:
        return []
    segments = read_segments(host.pk, spans[0][0], spans[-1][1])
    accounts = [Account(since, until, _add_up(segments, since, until)) for since, until in spans]
    _fill(host.pk, accounts, [segment for segment in segments if segment.state is State.MAINTENANCE], now)
    return accounts


def read_segments(host: int, since: dt.datetime, until: dt.datetime) -> list[Segment]:
    """The states of a host between two times, without a gap; it begins when the host was first watched."""
    rows = Transition.objects.filter(host_id=host).order_by("at").values_list("at", "state")
    before = rows.filter(at__lte=since).last()
    found = [*([(since, before[1])] if before else []), *rows.filter(at__gt=since, at__lt=until)]
    ends = [at for at, _ in [*found, (until, None)][1:]]
    return [Segment(State(state), at, end) for (at, state), end in zip(found, ends, strict=True)]


def read_incidents(host: Host, since: dt.datetime, until: dt.datetime) -> list[Incident]:
    """The incidents of a host that touch the time between two, by time."""
    rows = Incident.objects.filter(host=host, began_at__lt=until).exclude(ended_at__lte=since)
    return list(rows.select_related("part_of").order_by("began_at"))


def list_days(year: int, month: int, zone: ZoneInfo) -> list[Span]:
    """The days of a month, by the clocks of a zone, in UTC."""
    first = dt.date(year, month, 1)
    number = (_next_month(first) - first).days
    return [_span(first + dt.timedelta(day), first + dt.timedelta(day + 1), zone) for day in range(number)]


def list_months(year: int, zone: ZoneInfo) -> list[Span]:
    """The months of a year, by the clocks of a zone, in UTC."""
    firsts = [dt.date(year, month, 1) for month in range(1, 13)]
    return [_span(first, _next_month(first), zone) for first in firsts]


def list_years(first: int, last: int, zone: ZoneInfo) -> list[Span]:
    """These years, by the clocks of a zone, in UTC."""
    return [_span(dt.date(year, 1, 1), dt.date(year + 1, 1, 1), zone) for year in range(first, last + 1)]


def measure(spans: Sequence[Span], since: dt.datetime, until: dt.datetime) -> int:
    """How much (µs) of disjoint spans in their order lies between two times."""
    first = bisect_right(spans, since, key=lambda span: span[1])
    last = bisect_left(spans, until, key=lambda span: span[0])
    return sum((min(end, until) - max(start, since)) // MICROSECOND for start, end in spans[first:last])


def _add_up(segments: list[Segment], since: dt.datetime, until: dt.datetime) -> dict[State, int]:
    us: dict[State, int] = {}
    first = bisect_right(segments, since, key=lambda segment: segment.end)
    last = bisect_left(segments, until, key=lambda segment: segment.start)
    for state, start, end in segments[first:last]:
        us[state] = us.get(state, 0) + measure([(start, end)], since, until)
    return us


def _fill(host: int, accounts: list[Account], maintenance: list[Segment], now: dt.datetime) -> None:
    """Give each account its rows: whole hours where they are rolled up, and minutes beside them."""
    rolled = Hour.objects.filter(host_id=host).aggregate(last=Max("hour"))["last"]
    rolled = 0 if rolled is None else rolled + 1
    since, until = int(accounts[0].since.timestamp()) // 3600, int(accounts[-1].until.timestamp()) // 3600 + 1
    rows = Hour.objects.filter(host_id=host, hour__gte=since, hour__lt=until)
    hours = {hour: (hour * HOUR_MS, *figures) for hour, *figures in rows.values_list("hour", *FIGURES)}
    kept = now - dt.timedelta(days=settings.PINGSITE_KEEP_MINUTES_DAYS)
    for account in accounts:
        for start, end in _leave_out(account, maintenance):
            first, last = -((EPOCH - start) // MINUTE), (end - EPOCH) // MINUTE
            whole = range(-(-first // 60), min(last // 60, rolled))
            edges = [(first, whole.start * 60), (whole.stop * 60, last)] if whole else [(first, last)]
            account.rows += [hours[hour] for hour in whole if hour in hours]
            for edge in edges:
                account.rows += _read_minutes(host, *edge)
                account.exact &= edge[0] >= edge[1] or EPOCH + edge[0] * MINUTE >= kept


def _leave_out(account: Account, maintenance: list[Segment]) -> list[Span]:
    """What of a time is outside maintenance."""
    spans, start = [], account.since
    for _, begin, end in maintenance:
        if begin < account.until and end > start:
            spans.append((start, begin))
            start = end
    spans.append((start, account.until))
    return [span for span in spans if span[0] < span[1]]


def _read_minutes(host: int, first: int, last: int) -> list[Row]:
    if first >= last:
        return []
    rows = Minute.objects.filter(host_id=host, minute__gte=first, minute__lt=last).order_by("minute")
    found: list[Row] = []
    for minute, packets, *figures in rows.values_list("minute", "packets", *FIGURES):
        # One that is under way has no figures yet.
        row: Row = tally_minute(bytes(packets or b"")).figures if figures[-1] is None else figures
        found.append((minute * MINUTE_MS, *row[:-1], pack_wide(unpack_narrow(row[-1]))))
    return found


def _span(first: dt.date, last: dt.date, zone: ZoneInfo) -> Span:
    start, end = (dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC) for day in (first, last))
    return start, end


def _next_month(first: dt.date) -> dt.date:
    return (first + dt.timedelta(days=31)).replace(day=1)
