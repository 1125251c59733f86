"""Goes on after a restart: how hosts were when that was last on record, and what the packets kept since then say."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import F, Q

from monitor.health import DECLARED, Change, Health, State
from monitor.models import Host, Incident
from monitor.replay import Start, Warm, warm_up
from monitor.rulings import Rulings
from monitor.standing import BAD, SECOND_US, Why

# A restart goes through the hosts in portions, so that the lease is renewed meanwhile.
PORTION = 50
DAY = dt.timedelta(days=1)


class Resumed(NamedTuple):
    """How a host is, until when packets of it were kept (µs, 0: none), why it is bad, and what is not on record yet."""

    health: Health
    until: int
    why: Why
    changes: list[Change]


def resume(hosts: Sequence[Host], rulings: Rulings) -> dict[int, Resumed]:
    """How these hosts are, by their ids. It blocks, and raises what the database raises."""
    rulings.learn(host.pk for host in hosts if host.state in BAD)
    ids = [host.pk for host in hosts]
    recent = Q(ended_at=None) | Q(ended_at=F("host__state_since"))
    covered = Q(host__state=State.MAINTENANCE.value, ended_at__gte=F("host__state_since") - DAY)
    found = Incident.objects.filter(recent | covered, host__in=ids).order_by("began_at")
    incidents = {incident.host_id: incident for incident in found}
    starts = {
        host.pk: Start(recall(host, incidents.get(host.pk)), rulings.find(host), rulings.usual.get(host.pk))
        for host in hosts
    }
    warm = warm_up(starts)
    return {host.pk: _sum_up(starts[host.pk].health, warm.get(host.pk), incidents.get(host.pk)) for host in hosts}


def recall(host: Host, incident: Incident | None) -> Health:
    """The health of a host by its row and the incident that is open or ended last."""
    state, began = State(host.state), host.state_since
    if state is State.MAINTENANCE:
        # What was measured beneath it is not on record: what was before is, and the packets tell the rest.
        before = host.transitions.filter(at__lt=began).order_by("-at").first() if began else None
        if before is None or State(before.state) in DECLARED:
            return Health(seen=_to_us(began))
        state, began = State(before.state), before.at
    since = _to_us(began)
    if incident is None or incident.ended_at not in (None, began, host.state_since):
        return Health(state, since, state, since, seen=since)
    # Those of before it was written down have only when the last packet left, as when they were noticed.
    judged_until = incident.judged_until or incident.end_noticed_at or incident.noticed_at
    # The echo that brought a host back into sight was the first that might end it.
    seen = max(since - 1, _to_us(judged_until))
    goes_on = not incident.ended_at or host.state == incident.ending == State.MAINTENANCE
    former = State(incident.state) if goes_on and state is State.NOT_MEASURED else None
    return Health(state, since, state, since, seen=seen, reason=incident.reason if goes_on else "", former=former)


def _sum_up(start: Health, warm: Warm | None, incident: Incident | None) -> Resumed:
    why = Why()
    if incident and start.reason:
        why = Why(incident.reason, incident.measure.get("value"), incident.measure.get("limit"))
    if warm is None:
        return Resumed(start, 0, why, _find_untold(start, incident))
    return Resumed(warm.health, warm.until or 0, why, _find_untold(start, incident) + warm.changes)


def _find_untold(start: Health, incident: Incident | None) -> list[Change]:
    """A host that is bad without an incident: so did a release leave it that knew none."""
    if incident or start.state not in BAD:
        return []
    return [Change(State.STARTING, start.state, start.since)]


def _to_us(moment: dt.datetime | None) -> int:
    return round(moment.timestamp() * SECOND_US) if moment else 0
