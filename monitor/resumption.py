"""Goes on after a restart: how hosts were when that was last on record, and what the packets kept since then say."""

from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import F, Q

from monitor.health import Change, Health, State
from monitor.models import Host, Incident
from monitor.replay import Start, Warm, warm_up
from monitor.rulings import Rulings
from monitor.standing import BAD, SECOND_US, Why

# A restart goes through the hosts in portions, so that the lease is renewed meanwhile.
PORTION = 50


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
    incidents = {incident.host_id: incident for incident in Incident.objects.filter(recent, host__in=ids)}
    starts = {
        host.pk: Start(recall(host, incidents.get(host.pk)), rulings.find(host), rulings.usual.get(host.pk))
        for host in hosts
    }
    warm = warm_up(starts)
    return {host.pk: _sum_up(starts[host.pk].health, warm.get(host.pk), incidents.get(host.pk)) for host in hosts}


def recall(host: Host, incident: Incident | None) -> Health:
    """The health of a host by its row and the incident that is open or ended last."""
    state = State(host.state)
    since = round(host.state_since.timestamp() * SECOND_US) if host.state_since else 0
    if state is State.MAINTENANCE:
        # What was measured beneath it is not on record: the packets tell.
        return Health(seen=since)
    if incident is None:
        return Health(state, since, state, since, seen=since)
    # Those of before it was written down have only when the last packet left, as when they were noticed.
    judged_until = incident.judged_until or incident.end_noticed_at or incident.noticed_at
    seen = max(since, round(judged_until.timestamp() * SECOND_US))
    reason = "" if incident.ended_at else incident.reason
    former = State(incident.state) if state is State.NOT_MEASURED and not incident.ended_at else None
    return Health(state, since, state, since, seen=seen, reason=reason, former=former)


def _sum_up(start: Health, warm: Warm | None, incident: Incident | None) -> Resumed:
    why = Why()
    if incident and not incident.ended_at:
        why = Why(incident.reason, incident.measure.get("value"), incident.measure.get("limit"))
    if warm is None:
        return Resumed(start, 0, why, _find_untold(start, incident))
    unknown = State.NOT_MEASURED
    # Gaps are on record already; that it is not measured now may not be.
    changes = _find_untold(start, incident)
    changes += [change for change in warm.changes if unknown not in (change.before, change.after)]
    if warm.health.state is unknown and start.state is not unknown:
        changes += warm.changes[-1:]
    return Resumed(warm.health, warm.until or 0, why, changes)


def _find_untold(start: Health, incident: Incident | None) -> list[Change]:
    """A host that is bad without an incident: so did a release leave it that knew none."""
    if incident or start.state not in BAD:
        return []
    return [Change(State.STARTING, start.state, start.since)]
