"""What went bad together: many hosts at once are this server's own network, and one behind a parent that is down is no
news. All of it blocks, and raises what the database raises."""

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet

from monitor.health import State
from monitor.models import Ending, Host, Incident

# So many hosts at least, and half of those that answered, that went bad within so long of one another.
FEWEST = 3
TOGETHER = dt.timedelta(seconds=10)
# What was noticed so long ago has been told by itself, unless others are longer waited for.
LATELY = dt.timedelta(seconds=30)
# A host that is still bad so long after what explained it, and so many of its intervals, is news of its own.
GRACE = dt.timedelta(seconds=60)
GRACE_INTERVALS = 10


def gather(now: dt.datetime, answered: int, patience: float = 0.0) -> None:
    """See what went bad together, and what no longer explains anything; `answered` hosts did so a moment ago, and of
    none of them it takes longer than `patience` (s) from its first lost packet until that is known."""
    lately = max(LATELY, TOGETHER + dt.timedelta(seconds=patience))
    incidents = Incident.objects
    if not (incidents.filter(ended_at=None).exists() or incidents.filter(noticed_at__gte=now - lately).exists()):
        # All is well, and was: this is asked for twice a second, and nothing below would find anything.
        return
    with transaction.atomic():
        _stand_behind()
        network = Incident.objects.filter(host=None, ended_at=None).first()
        if network := network or _find_network(now, answered, lately):
            _join(network, lately)
            _end(network, now)
        _release(now)


def _stand_behind() -> None:
    """Note which of the hosts that went bad are reached through one that is down."""
    news = Incident.objects.filter(news=True, ended_at=None, behind=None, host__parent__isnull=False)
    if not (fresh := list(news.values_list("pk", "host_id"))):
        return
    parents = dict(Host.objects.filter(parent__isnull=False).values_list("pk", "parent_id"))
    down = set(Incident.objects.filter(ended_at=None, state=State.DOWN.value).values_list("host_id", flat=True))
    for incident, host in fresh:
        if culprit := next((parent for parent in list_ancestors(host, parents) if parent in down), None):
            Incident.objects.filter(pk=incident).update(behind=culprit)


def list_ancestors(host: int, parents: Mapping[int, int | None]) -> list[int]:
    """The hosts that a host is reached through, the nearest first; none where it is reached through itself, for then
    nothing explains anything."""
    chain: list[int] = []
    parent = parents.get(host)
    while parent is not None and parent not in chain:
        if parent == host:
            return []
        chain.append(parent)
        parent = parents.get(parent)
    return chain


def _find_network(now: dt.datetime, answered: int, lately: dt.timedelta) -> Incident | None:
    """Open an incident of this server's own network where enough went bad together."""
    # Locked: a watcher that lost the lease in the midst of this may find the same at the same time, and waits here. Put
    # in order here: for the sake of an order, SQLite would go through all that ever were.
    found = _alone().filter(noticed_at__gte=now - lately).order_by().select_for_update()
    known = sorted(found.values_list("began_at", "noticed_at"))
    began = _find_group(known, max(FEWEST, -(-answered // 2)), now - LATELY)
    if not began:
        return None
    earlier = Incident.objects.filter(host=None, began_at=began)
    return earlier.first() or Incident.objects.create(
        state=State.DOWN.value, began_at=began, noticed_at=now, reason="network", measure={"limit": answered}
    )


def _find_group(
    known: Sequence[tuple[dt.datetime, dt.datetime]], enough: int, since: dt.datetime
) -> dt.datetime | None:
    """When the first group began that is enough within `TOGETHER`, of those `known` by (began, noticed) in order; one
    of them was noticed `since`, for the others may be left of what is over."""
    for last in range(enough - 1, len(known)):
        group = known[last - enough + 1 : last + 1]
        if group[-1][0] - group[0][0] <= TOGETHER and max(noticed for _, noticed in group) >= since:
            return group[0][0]
    return None


def _alone() -> QuerySet[Incident]:
    """Incidents of hosts that nothing else explains."""
    return Incident.objects.filter(host__isnull=False, part_of=None, behind=None)


def _join(network: Incident, lately: dt.timedelta) -> None:
    """Whatever goes bad while this server's own network does is part of that, and no news by itself."""
    if network.ended_at is None:
        found = _alone().filter(began_at__gte=network.began_at - TOGETHER)
        found.filter(noticed_at__gte=network.noticed_at - lately).update(part_of=network)
    network.parts.filter(news=True).update(news=False)
    down = Count("pk", filter=Q(state=State.DOWN.value))
    sums = network.parts.aggregate(number=Count("pk"), down=down, began=Min("began_at"))
    state = State.DOWN if 2 * sums["down"] >= sums["number"] else State.DEGRADED
    known = network.state, network.measure, network.began_at
    network.state, network.measure = state.value, {**network.measure, "value": sums["number"]}
    # Who was noticed last may have been bad first.
    network.began_at = min(network.began_at, sums["began"] or network.began_at)
    if known != (network.state, network.measure, network.began_at):
        network.save(update_fields=["state", "measure", "began_at"])


def _end(network: Incident, now: dt.datetime) -> None:
    """It ends with the host that makes it half of them that are well again."""
    ends = [end for end in network.parts.order_by("ended_at").values_list("ended_at", flat=True) if end]
    half = -(-network.parts.count() // 2)
    if network.ended_at or not half or len(ends) < half:
        return
    over = {"ended_at": max(network.began_at, ends[half - 1]), "end_noticed_at": now}
    Incident.objects.filter(pk=network.pk, ended_at=None).update(**over, ending=Ending.RECOVERED.value, news=True)


def _release(now: dt.datetime) -> None:
    """Hosts that are bad although what explained it is over are news of their own."""
    parent_bad = Incident.objects.filter(host=OuterRef("behind"), ended_at=None)
    parent_lately = Incident.objects.filter(host=OuterRef("behind"), end_noticed_at__gt=now - GRACE)
    explained = Q(part_of__end_noticed_at__lte=now - GRACE) | Q(behind__isnull=False, part_of=None)
    held = Incident.objects.filter(explained, ended_at=None, host__isnull=False)
    held = held.exclude(Exists(parent_bad)).exclude(Exists(parent_lately))
    for incident, interval, over in held.values_list("pk", "host__interval", "part_of__end_noticed_at"):
        if over is None or over + GRACE + dt.timedelta(seconds=GRACE_INTERVALS * interval) <= now:
            Incident.objects.filter(pk=incident).update(part_of=None, behind=None, news=True)
