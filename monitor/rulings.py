"""What watched hosts are judged by, kept current: the rules, what is usual, and times of maintenance."""

import datetime as dt
import time
from collections.abc import Iterable
from functools import partial
from typing import Any

from django.db.models import Count, Max
from django.utils import timezone

from monitor.incidents import from_us
from monitor.models import Host, Maintenance, Rules
from monitor.rules import Effective, RuleBook, read_rules
from monitor.standing import Noticed
from monitor.usual import Usual, read_usual
from monitor.watched import Watched
from monitor.windows import Calendar, read_calendar

SECOND_US = 1_000_000
# What is usual changes with each hour; reading it takes a moment, so that it is done a few hosts at a time.
USUAL_SECONDS = 3600.0
PORTION_SECONDS = 0.05
# Where nothing changes for a year, maintenance is looked at again after so long.
PATIENCE = dt.timedelta(days=30)


class Rulings:
    """The rules, the usual and the calendar. `look` and `learn` block, and raise what the database raises."""

    def __init__(self) -> None:
        self.turn = 1
        self.book = RuleBook()
        self.usual: dict[int, Usual | None] = {}
        self._calendar = Calendar(())
        self._signature: Any = None
        self._day = dt.date.min
        self._learned_at: dict[int, float] = {}
        self._next: dict[int, tuple[int, dt.datetime]] = {}

    def look(self) -> None:
        """Read what somebody changed, and work out once a day what maintenance is to come."""
        signature, now = _read_signature(), timezone.now()
        if signature == self._signature and self._day == now.date():
            return
        book, calendar = read_rules(), read_calendar()
        calendar.prepare(now)
        self.book, self._calendar, self._day = book, calendar, now.date()
        if signature != self._signature:
            self._signature = signature
            self.turn += 1

    def learn(self, hosts: Iterable[int]) -> set[int]:
        """Read what is usual for some of the hosts, first named first, where that was long ago; for which it was."""
        started, learned = time.monotonic(), set()
        for host in hosts:
            if self._learned_at.get(host, -USUAL_SECONDS) + USUAL_SECONDS > started:
                continue
            self.usual[host] = read_usual(host, timezone.now())
            # Spread, so that those that began together are not all due together.
            self._learned_at[host] = started + hash(host) * 7 % 600
            learned.add(host)
            if time.monotonic() > started + PORTION_SECONDS:
                break
        return learned

    def find(self, host: Host) -> Effective:
        """The rules of a host."""
        return self.book.find(host)

    def apply(self, watched: Watched) -> None:
        """Have a host judged by what holds now."""
        effective, usual = self.book.find(watched.host), self.usual.get(watched.id)
        watched.standing.obey(partial(effective.limits, usual))

    def settle(self, watched: Watched, now: dt.datetime) -> list[Noticed]:
        """What the rules and the calendar change about a host."""
        if watched.ruled != self.turn:
            self.apply(watched)
            watched.ruled = self.turn
            self._next.pop(watched.id, None)
        known = self._next.get(watched.id)
        if known and now < known[1]:
            return []
        return self._turn_page(watched, now)

    def _turn_page(self, watched: Watched, now: dt.datetime) -> list[Noticed]:
        """Maintenance begins or ends, where it does, at the time set and not when that was noticed."""
        since, change = self._calendar.look(watched.host, now)
        self._next[watched.id] = watched.ruled, change or now + PATIENCE
        watched.maintained_until = _to_us(change) if since and change else None
        if since:
            return watched.standing.cover(_to_us(since), _to_us(now))
        if (covered := watched.standing.covered) is None:
            return []
        # One that was cancelled ends now.
        end = self._calendar.find_last_end(watched.host, from_us(covered), now) or now
        return watched.standing.cover(None, _to_us(end))


def _to_us(moment: dt.datetime) -> int:
    return round(moment.timestamp() * SECOND_US)


def _read_signature() -> Any:
    """Whatever changes with the rules and the windows."""
    rules = Rules.objects.aggregate(Count("pk"), Max("changed_at"))
    windows = list(Maintenance.objects.order_by("pk").values_list())
    named = list(Maintenance.hosts.through.objects.order_by("pk").values_list()) if windows else []
    return rules, windows, named
