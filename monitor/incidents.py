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
UNSEEN = State.NOT_MEASURED.value
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
        for change in changes:
            at = from_us(change.at)
            if (change.host, at, change.state.value) in known:
                # Found again after a crash.
                continue
            if change.hidden:
                _look_back(change, at)
            else:
                _go_on(change, at, last)


def _go_on(change: Noticed, at: dt.datetime, last: dict[int, tuple[dt.datetime, str]]) -> None:
    """Put on record what follows on the `last` change of each host."""
    before = last.get(change.host)
    if before and at <= before[0]:
        at = _step_back(change, at, before[0])
    if not _write_down(change, at):
        return
    if before is None or before[1] != change.state:
        _insert(change, at)
        last[change.host] = max(at, before[0]) if before else at, change.state.value
    if not change.gap:
        _carry_over(change, at)


def _step_back(change: Noticed, at: dt.datetime, last: dt.datetime) -> dt.datetime:
    """When a change began that is dated before the `last` on record: where only gaps came between, then, and after
    them it has been so. Else a clock was set, and time does not go back here: after the last."""
    rows = Transition.objects.filter(host=change.host, at__lte=last)
    before = rows.filter(at__lte=at).order_by("-at").first()
    since = list(rows.filter(at__gt=at).order_by("at").values_list("state", flat=True))
    if before is None or not set(since) <= {before.state, UNSEEN} or since[-1:] == [UNSEEN]:
        return last + TICK
    rows.filter(at__gte=at, state=before.state).update(state=change.state.value)
    return at


def _look_back(change: Noticed, at: dt.datetime) -> None:
    """Put on record what began before a maintenance and was known only in it, up to there; it is told to nobody."""
    rows = Transition.objects.filter(host=change.host).order_by("at")
    cover = rows.filter(state=State.MAINTENANCE.value, at__gt=at).first()
    before = rows.filter(at__lt=cover.at).last() if cover else None
    if before and at <= before.at:
        at = _step_back(change, at, before.at)
    if cover is None or at >= cover.at or (before and before.state == change.state):
        return
    _insert(change, at)
    ended = Incident.objects.filter(host=change.host, ended_at=cover.at, ending=Ending.MAINTENANCE.value)
    if ENDINGS.get(change.state) == Ending.RECOVERED:
        ended.update(ended_at=at, ending=Ending.RECOVERED.value)
    elif change.state is State.DOWN and ended.update(**_worse(change)):
        return
    elif change.state in BAD and not ended.exists():
        known = {"ended_at": cover.at, "ending": Ending.MAINTENANCE.value, "news": False}
        _open(change, at, end_noticed_at=max(at, from_us(change.noticed_at)), **known)


def _insert(change: Noticed, at: dt.datetime) -> None:
    row = Transition(host_id=change.host, at=at, state=change.state.value)
    Transition.objects.bulk_create([row], ignore_conflicts=True)


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
    degraded = open_of(change.host).filter(state=State.DEGRADED.value)
    if change.state is State.DOWN and degraded.update(**_worse(change), news=True):
        return True
    return open_of(change.host).exists()


def _worse(change: Noticed) -> dict[str, Any]:
    reason = {"reason": change.reason, "measure": _measure(change)}
    return {"state": change.state.value, "judged_until": _judged_until(change)} | reason


def _open(change: Noticed, at: dt.datetime, **known: Any) -> None:
    incident = Incident(
        host_id=change.host,
        state=change.state.value,
        began_at=at,
        noticed_at=max(at, from_us(change.noticed_at)),
        judged_until=_judged_until(change),
        reason=change.reason,
        measure=_measure(change),
        **known,
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
