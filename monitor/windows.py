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
BEHIND, AHEAD = dt.timedelta(days=1), dt.timedelta(days=32)
INSTANT = dt.timedelta(microseconds=1)
logger = logging.getLogger(__name__)


class Calendar:
    """The windows of maintenance as they were when it was read; all times are aware, and spans whole and in UTC."""

    def __init__(self, windows: Iterable[Maintenance]) -> None:
        self._planned = [planned for window in windows if (planned := _plan(window))]
        self._of_host: dict[tuple[object, ...], list[_Planned]] = {}

    def covers(self, host: Host, at: dt.datetime) -> bool:
        """Whether a host is in maintenance at that time."""
        return any(planned.times.covers(at) for planned in self._find(host))

    def next_change(self, host: Host, at: dt.datetime) -> dt.datetime | None:
        """When a host's maintenance ends, or else when its next begins; None where nothing changes for a year. While
        windows go on without a break for longer than that, it is a time within them."""
        for ahead in (AHEAD, HORIZON):
            for start, end in self.spans(host, at, at + ahead):
                if start > at:
                    return start
                if end > at and (end < at + ahead or ahead is HORIZON):
                    return end
        return None

    def spans(self, host: Host, since: dt.datetime, until: dt.datetime) -> list[Span]:
        """The maintenance of a host that overlaps the time between these two, merged, by time."""
        return merge_spans(span for planned in self._find(host) for span in planned.times.list_spans(since, until))

    def list_windows(self, host: Host, at: dt.datetime) -> list[Maintenance]:
        """The windows that a host is in at that time."""
        return [planned.window for planned in self._find(host) if planned.times.covers(at)]

    def _find(self, host: Host) -> "list[_Planned]":
        key = (host.pk, host.group, *host.tags)
        if key not in self._of_host:
            self._of_host[key] = [planned for planned in self._planned if planned.concerns(host)]
        return self._of_host[key]


class _Times:
    """The spans of one window; those around the time asked of last stay worked out."""

    def __init__(self, recurrence: Recurrence) -> None:
        self._recurrence = recurrence
        self._since = self._until = END
        self._spans: list[Span] = []

    def covers(self, at: dt.datetime) -> bool:
        self._turn_to(at, at + INSTANT)
        place = bisect_right(self._spans, at, key=lambda span: span[0])
        return place > 0 and at < self._spans[place - 1][1]

    def list_spans(self, since: dt.datetime, until: dt.datetime) -> list[Span]:
        if until - since > AHEAD:
            return self._recurrence.list_spans(since, until, most=100_000)
        self._turn_to(since, until)
        return [span for span in self._spans if span[0] < until and span[1] > since]

    def _turn_to(self, since: dt.datetime, until: dt.datetime) -> None:
        if not self._since <= since <= until <= self._until:
            self._since, self._until = since - BEHIND, until + AHEAD
            self._spans = merge_spans(self._recurrence.list_spans(self._since, self._until, most=10_000))


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
