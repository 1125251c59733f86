"""What is noticed of hosts goes on record: every change of a state, and incidents opened, escalated and closed.

Two that do the same at once, or one that does it again after a crash, come to the same rows. All of it blocks, and
raises what the database raises.
"""

import datetime as dt
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery

from monitor.health import State
from monitor.models import Ending, Host, Incident, Transition
from monitor.standing import BAD, Noticed

# Changes a transaction, so that no write lock is held for long.
STEP = 100
TICK = dt.timedelta(microseconds=1)
ENDINGS = {
    State.UP: Ending.RECOVERED,
    State.STARTING: Ending.RECOVERED,
    State.PAUSED: Ending.PAUSED,
    State.MAINTENANCE: Ending.MAINTENANCE,
}


class Ledger:
    """What was noticed and is not on record yet, in order: it waits here while the database is away."""

    def __init__(self) -> None:
        self._waiting: deque[Noticed] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, noticed: Iterable[Noticed]) -> None:
        """Have this recorded."""
        self._waiting.extend(noticed)

    def write(self) -> set[int]:
        """Record what waits, and keep what could not be recorded; the hosts whose state that changed."""
        changed: set[int] = set()
        while some := list(islice(self._waiting, STEP)):
            record(some)
            for _ in some:
                self._waiting.popleft()
            changed |= {each.host for each in some if not each.gap}
        return changed


def record(changes: Sequence[Noticed]) -> None:
    """Put changes on record, in order and in one transaction: the host's row, its transition, its incident. Of a host
    that is gone nothing is."""
    with transaction.atomic():
        hosts = {change.host for change in changes}
        last, known = _read_last(hosts), _read_known(hosts, changes)
        fresh = []
        for change in changes:
            at = from_us(change.at)
            if (change.host, at, change.state.value) in known:
                # Found again after a crash.
                continue
            before = last.get(change.host)
            # Time does not go back here, also where a clock was set.
            at = max(at, before[0] + TICK) if before else at
            if not _write_down(change, at):
                continue
            if before is None or before[1] != change.state:
                fresh.append(Transition(host_id=change.host, at=at, state=change.state.value))
                last[change.host] = at, change.state.value
            if not change.gap:
                _carry_over(change, at)
        Transition.objects.bulk_create(fresh, ignore_conflicts=True)


def _write_down(change: Noticed, at: dt.datetime) -> bool:
    """How a host is, in its row; whether there is one. A gap leaves it as it is."""
    host = Host.objects.filter(pk=change.host)
    return host.exists() if change.gap else bool(host.update(state=change.state.value, state_since=at))


def _carry_over(change: Noticed, at: dt.datetime) -> None:
    """What a change means for the incident of its host; not to be measured leaves it as it is."""
    if change.state in BAD:
        if not _escalate(change):
            _open(change, at)
    elif ending := ENDINGS.get(change.state):
        known = {"end_noticed_at": max(at, from_us(change.noticed_at)), "judged_until": _judged_until(change)}
        open_of(change.host).update(ended_at=at, ending=ending.value, news=True, **known)


def _escalate(change: Noticed) -> bool:
    """Note that what goes on is worse than it was; whether anything goes on."""
    if change.state is State.DOWN:
        worse = {"state": change.state.value, "reason": change.reason, "measure": _measure(change), "news": True}
        known = {"judged_until": _judged_until(change)}
        if open_of(change.host).filter(state=State.DEGRADED.value).update(**worse, **known):
            return True
    return open_of(change.host).exists()


def _open(change: Noticed, at: dt.datetime) -> None:
    incident = Incident(
        host_id=change.host,
        state=change.state.value,
        began_at=at,
        noticed_at=max(at, from_us(change.noticed_at)),
        judged_until=_judged_until(change),
        reason=change.reason,
        measure=_measure(change),
    )
    Incident.objects.bulk_create([incident], ignore_conflicts=True)


def open_of(host: int) -> QuerySet[Incident]:
    """The incident of a host that goes on, if there is one."""
    return Incident.objects.filter(host_id=host, ended_at=None)


def from_us(microseconds: int) -> dt.datetime:
    """A time from µs since 1970, exactly."""
    return dt.datetime.fromtimestamp(microseconds // 1_000_000, dt.UTC) + microseconds % 1_000_000 * TICK


def _judged_until(change: Noticed) -> dt.datetime | None:
    return from_us(change.judged_until) if change.judged_until else None


def _measure(change: Noticed) -> dict[str, Any]:
    return {} if change.value is None else {"value": change.value, "limit": change.limit}


def _read_last(hosts: Iterable[int]) -> dict[int, tuple[dt.datetime, str]]:
    """The last transition of hosts."""
    newest = Transition.objects.filter(host=OuterRef("host")).order_by("-at").values("at")[:1]
    rows = Transition.objects.filter(host__in=list(hosts), at=Subquery(newest))
    return {host: (at, state) for host, at, state in rows.values_list("host_id", "at", "state")}


def _read_known(hosts: Iterable[int], changes: Sequence[Noticed]) -> set[tuple[int, dt.datetime, str]]:
    """The transitions that are on record at the times of these changes."""
    rows = Transition.objects.filter(host__in=list(hosts), at__in=[from_us(change.at) for change in changes])
    return set(rows.values_list("host_id", "at", "state"))
