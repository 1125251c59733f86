"""When there is maintenance: windows → spans of time, of each host."""

import datetime as dt
import logging
from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from monitor.models import Host, Maintenance
from monitor.recurrence import END, BadRecurrence, Recurrence, Span, check_recurrence, make_recurrence

# So far ahead a calendar looks for what changes next.
HORIZON = dt.timedelta(days=400)
# What is worked out at once, around the time asked of: a watcher asks for each of its hosts, again and again.
BEHIND, AHEAD = dt.timedelta(days=8), dt.timedelta(days=32)
# Windows that go on without a break for longer than this are looked at again then.
UNBROKEN = dt.timedelta(days=28)
INSTANT = dt.timedelta(microseconds=1)
logger = logging.getLogger(__name__)


class Outlook(NamedTuple):
    """Since when a host is in maintenance, None where it is not, and when that changes: None where nothing does for a
    year. Of windows that go on without a break for weeks, it is a time within them."""

    since: dt.datetime | None
    change: dt.datetime | None


class Calendar:
    """The windows of maintenance as they were when it was read; all times are aware, and spans whole and in UTC."""

    def __init__(self, windows: Iterable[Maintenance]) -> None:
        self._planned = [planned for window in windows if (planned := _plan(window))]
        self._of_host: dict[tuple[object, ...], _Agenda] = {}
        self._agendas: dict[tuple[int, ...], _Agenda] = {}

    def prepare(self, at: dt.datetime) -> None:
        """Work out what lies around a time: what is asked of it for the next days takes no time then."""
        for planned in self._planned:
            planned.times.find_next(at)

    def look(self, host: Host, at: dt.datetime) -> Outlook:
        """Whether a host is in maintenance, and what changes next; hosts of the same windows share the answer."""
        return self._find(host).look(at)

    def find_last_end(self, host: Host, since: dt.datetime, at: dt.datetime) -> dt.datetime | None:
        """When the last maintenance of a host ended that did so between these two."""
        return self._find(host).find_last_end(since, at)

    def find_end(self, host: Host, at: dt.datetime) -> dt.datetime | None:
        """When the maintenance ends that a host is in at that time; None where it is in none."""
        since, change = self.look(host, at)
        return change if since else None

    def spans(self, host: Host, since: dt.datetime, until: dt.datetime) -> list[Span]:
        """The maintenance of a host that overlaps the time between these two, merged, by time."""
        planned = self._find(host).planned
        return merge_spans(span for each in planned for span in each.times.list_spans(since, until))

    def list_windows(self, host: Host, at: dt.datetime) -> list[Maintenance]:
        """The windows that a host is in at that time."""
        return [planned.window for planned in self._find(host).planned if planned.times.find(at)]

    def _find(self, host: Host) -> "_Agenda":
        key = (host.pk, host.group, *host.tags)
        if key not in self._of_host:
            places = tuple(place for place, planned in enumerate(self._planned) if planned.concerns(host))
            if places not in self._agendas:
                self._agendas[places] = _Agenda([self._planned[place] for place in places])
            self._of_host[key] = self._agendas[places]
        return self._of_host[key]


class _Times:
    """The spans of one window; those around the time asked of last stay worked out."""

    def __init__(self, recurrence: Recurrence) -> None:
        self._recurrence = recurrence
        self._since = self._until = END
        self._spans: list[Span] = []
        self._later: list[dt.datetime] | None = None

    def find(self, at: dt.datetime) -> Span | None:
        """The span that a time is in."""
        place = self._find_place(at)
        return self._spans[place - 1] if place and at < self._spans[place - 1][1] else None

    def find_next(self, at: dt.datetime) -> dt.datetime | None:
        """When it begins for the first time after that, within the horizon."""
        place = self._find_place(at)
        if place < len(self._spans):
            return self._spans[place][0]
        if self._later is None:
            spans = self._recurrence.list_spans(self._until, self._until + HORIZON, most=10)
            self._later = [start for start, _ in spans if start >= self._until][:1]
        return self._later[0] if self._later and self._later[0] <= at + HORIZON else None

    def find_last_end(self, since: dt.datetime, at: dt.datetime) -> dt.datetime | None:
        """When a span ended last between these two."""
        spans = self._spans if self._since <= since and at <= self._until else self.list_spans(since, at)
        return max((end for _, end in spans if since <= end <= at), default=None)

    def list_spans(self, since: dt.datetime, until: dt.datetime) -> list[Span]:
        """Those that overlap the time between two."""
        if until - since > AHEAD:
            return self._recurrence.list_spans(since, until, most=100_000)
        self._turn_to(since, until)
        return [span for span in self._spans if span[0] < until and span[1] > since]

    def _find_place(self, at: dt.datetime) -> int:
        """How many spans begin until then."""
        self._turn_to(at, at + INSTANT)
        return bisect_right(self._spans, at, key=lambda span: span[0])

    def _turn_to(self, since: dt.datetime, until: dt.datetime) -> None:
        if not self._since <= since <= until <= self._until:
            self._since, self._until, self._later = since - BEHIND, until + AHEAD, None
            self._spans = merge_spans(self._recurrence.list_spans(self._since, self._until, most=10_000))


class _Agenda:
    """The windows that some hosts have in common, and what is found of them for a time."""

    def __init__(self, planned: "list[_Planned]") -> None:
        self.planned = planned
        self._since = self._until = END
        self._outlook = Outlook(None, None)

    def look(self, at: dt.datetime) -> Outlook:
        """Whether it is maintenance, and what changes next."""
        if not self._since <= at < self._until:
            self._outlook = self._look(at)
            self._since, self._until = at, self._outlook.change or at + AHEAD
        return self._outlook

    def find_last_end(self, since: dt.datetime, at: dt.datetime) -> dt.datetime | None:
        """When a span of any window ended last between these two."""
        ends = (planned.times.find_last_end(since, at) for planned in self.planned)
        return max((end for end in ends if end), default=None)

    def _look(self, at: dt.datetime) -> Outlook:
        if spans := self._list_covering(at):
            end = at
            while spans and end < at + UNBROKEN:
                end = max(span[1] for span in spans)
                spans = self._list_covering(end)
            return Outlook(min(span[0] for span in self._list_covering(at)), end)
        starts = (planned.times.find_next(at) for planned in self.planned)
        return Outlook(None, min((start for start in starts if start), default=None))

    def _list_covering(self, at: dt.datetime) -> list[Span]:
        return [span for planned in self.planned if (span := planned.times.find(at))]


class _Planned(NamedTuple):
    """A window, the hosts that it names, and its times."""

    window: Maintenance
    hosts: frozenset[int]
    times: _Times

    def concerns(self, host: Host) -> bool:
        """Whether it is of this host: named, by its group, by a tag, or of all."""
        group, tag = self.window.group, self.window.tag
        if not (self.hosts or group or tag):
            return True
        return host.pk in self.hosts or bool(group and group == host.group) or bool(tag and tag in host.tags)


def read_calendar() -> Calendar:
    """The windows that are not cancelled, in two queries."""
    return Calendar(Maintenance.objects.filter(cancelled=False).prefetch_related("hosts"))


def list_spans(window: Maintenance, since: dt.datetime, until: dt.datetime = END, most: int = 1000) -> list[Span]:
    """The first so many spans of a window that overlap the time between these two, whole, in UTC, by time, cancelled
    or not. `BadRecurrence`."""
    return read_recurrence(window).list_spans(since, until, most)


def check_window(window: Maintenance) -> None:
    """Refuse a window that cannot be, with the field and the reason: `BadRecurrence`."""
    check_recurrence(read_recurrence(window))


def read_recurrence(window: Maintenance) -> Recurrence:
    """When a window is; `BadRecurrence`."""
    first = dt.datetime.combine(window.starts_on, window.starts_at)
    try:
        length = dt.timedelta(minutes=window.minutes)
    except OverflowError:
        raise BadRecurrence("minutes", "length") from None
    return make_recurrence(first, window.zone, length, window.recurrence)


def merge_spans(spans: Iterable[Span]) -> list[Span]:
    """The same time in as few spans as can be, by time."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _plan(window: Maintenance) -> _Planned | None:
    try:
        times = _Times(read_recurrence(window))
    except BadRecurrence as bad:
        # A zone that an update of the system took away must not stop the watcher.
        logger.warning("The maintenance window %s cannot be: %s", window.pk, bad)
        return None
    return _Planned(window, frozenset(host.pk for host in window.hosts.all()), times)
