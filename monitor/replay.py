"""Judge what was kept as if it happened now: what other rules would have found, and where a watcher was interrupted."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from django.db import connection

from monitor.book import MINUTE_US, sort_slots
from monitor.health import BAD, Change, Health, State
from monitor.models import Host
from monitor.rules import Effective, Usual
from monitor.usual import read_usual
from monitor.walk import Row, Walk, sort_echoes
from monitor.windows import read_calendar

DAY_MINUTES = 1440
Tell = Callable[[int, int], None]


@dataclass(slots=True)
class Spell:
    """A time in which a host was degraded or down, also while it was not measured meanwhile; times are µs since 1970.

    `reason`, `value` and `limit` are those of `Change`. It has not ended where `ended_at` is None.
    """

    state: State
    began_at: int
    ended_at: int | None
    reason: str = ""
    value: float | None = None
    limit: float | None = None


class Start(NamedTuple):
    """How a host was when that was last written down: `health.seen` is when it was noticed."""

    health: Health
    effective: Effective
    usual: Usual | None = None


class Warm(NamedTuple):
    """A host that was caught up on: how it is, what changed since, and when the last packet kept was over (µs), None
    where there is none."""

    health: Health
    changes: list[Change]
    until: int | None


def replay(
    host: Host,
    effective: Effective,
    since: dt.datetime,
    until: dt.datetime,
    progress: Tell | None = None,
    *,
    skips: bool = True,
) -> list[Spell]:
    """When a host would have been bad by these rules, without maintenance; `progress` is told how many days are done,
    of how many. `skips` passes over minutes that cannot matter."""
    usual = read_usual(host.pk, until, since) if effective.follows_usual else None
    walk = Walk(Health(), effective, usual, skips)
    first = (_to_us(since) - 2 * effective.window_us) // MINUTE_US
    days = range(first, -(-_to_us(until) // MINUTE_US), DAY_MINUTES)
    for done, start in enumerate(days, 1):
        for row in _read_rows(host.pk, start, min(start + DAY_MINUTES, days.stop)):
            walk.take(row)
        if progress:
            progress(done, len(days))
    spells = [spell for spell in list_spells(walk.changes) if spell.ended_at is None or spell.ended_at > _to_us(since)]
    spans = read_calendar().spans(host, since - dt.timedelta(days=1), until)
    return _cut(spells, [(_to_us(start), _to_us(end)) for start, end in spans], _list_unseen(walk.changes))


def list_spells(changes: Iterable[Change]) -> list[Spell]:
    """The times in which a host was bad; one that is not measured meanwhile goes on, and one that was worse from its
    beginning is none."""
    spells: list[Spell] = []
    current: Spell | None = None
    for change in changes:
        if change.after is State.NOT_MEASURED or (current and change.after is current.state):
            continue
        if current:
            current.ended_at = change.at
            current = None
        if change.after in BAD:
            current = Spell(change.after, change.at, None, change.reason, change.value, change.limit)
            spells.append(current)
    return [spell for spell in spells if spell.ended_at != spell.began_at]


def group_spells(spells: list[Spell]) -> list[list[Spell]]:
    """Spells by the incident that they are of: those that follow one another without a pause."""
    groups: list[list[Spell]] = []
    for spell in spells:
        if groups and groups[-1][-1].ended_at == spell.began_at:
            groups[-1].append(spell)
        else:
            groups.append([spell])
    return groups


def warm_up(starts: Mapping[int, Start]) -> dict[int, Warm]:
    """Go on from how hosts (by id) were when that was last written down: judge the packets kept since then, of two
    windows at most, which is as far back as anything that is still undecided can have begun."""
    found: dict[int, Warm] = {}
    for host, last in _read_last_minutes(list(starts)).items():
        health, effective, usual = starts[host]
        walk = Walk(health, effective, usual, skips=False)
        if last is not None:
            first = last - -(-2 * effective.window_us // MINUTE_US)
            rows = _read_rows(host, first, last + 1)
            walk.health = replace(health, last_us=_find_last_answer(rows, health.seen))
            for row in rows:
                if row.minute >= health.seen // MINUTE_US:
                    walk.take(row)
        found[host] = Warm(walk.health, walk.changes, walk.over or None)
    return found


def _find_last_answer(rows: Iterable[Row], until: int) -> int | None:
    """The last round trip (µs) of the packets due until then, with which the next is compared."""
    known = [row for row in rows if row.minute <= until // MINUTE_US]
    echoes = (echo for row in reversed(known) for echo in sort_echoes(row.minute, sort_slots(row.packets or b""))[::-1])
    return next((echo.value for echo in echoes if echo.due <= until and echo.value >= 0), None)


def _list_unseen(changes: Iterable[Change]) -> list[tuple[int, int]]:
    """When a host was not measured, by time."""
    return [
        (before.at, after.at)
        for before, after in pairwise([*changes, Change(State.UP, State.UP, 1 << 62)])
        if before.after is State.NOT_MEASURED
    ]


def _cut(spells: Iterable[Spell], spans: list[tuple[int, int]], unseen: list[tuple[int, int]]) -> list[Spell]:
    """Spells without what lies in spans of time, which are in order and apart; one that goes on after a span does so
    from when it is seen."""
    rest: list[Spell] = []
    for spell in spells:
        began_at = spell.began_at
        for start, end in spans:
            if end <= began_at or (spell.ended_at is not None and start >= spell.ended_at):
                continue
            if began_at < start:
                rest.append(replace(spell, began_at=began_at, ended_at=start))
            began_at = next((last for first, last in unseen if first <= end < last), end)
        if spell.ended_at is None or began_at < spell.ended_at:
            rest.append(replace(spell, began_at=began_at))
    return rest


def _read_rows(host: int, first: int, end: int) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(READ_ROWS, (host, first, end))
        return [Row(minute, packets and bytes(packets), *figures) for minute, packets, *figures in cursor.fetchall()]


def _read_last_minutes(hosts: list[int]) -> dict[int, int | None]:
    marks = ", ".join(["%s"] * len(hosts)) or "NULL"
    with connection.cursor() as cursor:
        cursor.execute(READ_LAST.format(marks), hosts)
        return dict(cursor.fetchall())


READ_ROWS = """
    SELECT minute, packets, sent, received, not_measured, min_us, max_us, jitter_sum_us
    FROM monitor_minute WHERE host_id = %s AND minute >= %s AND minute < %s AND packets IS NOT NULL ORDER BY minute
"""
READ_LAST = """
    SELECT id, (SELECT MAX(minute) FROM monitor_minute WHERE host_id = monitor_host.id)
    FROM monitor_host WHERE id IN ({})
"""


def _to_us(moment: dt.datetime) -> int:
    return round(moment.timestamp() * 1_000_000)
