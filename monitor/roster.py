"""The watched hosts as rows: apply wishes to them, pause and delete, and see what others changed."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Max
from django.utils import timezone
from django.utils.text import slugify

from monitor.hosts import Wish
from monitor.models import Host

CHUNK = 500
# A change whose clock or transaction ran behind is missed by the newest of all changes; so many looks later all
# rows are compared.
LOOKS = 20


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one host: "add", "change" with the fields' values before and after, "keep" or "remove". Where the
    `parent` is another, it changes by name, and is this host."""

    kind: str
    name: str
    host: Host
    changes: dict[str, tuple[Any, Any]]
    parent: Host | None = None


def find_twin(wish: Wish) -> Host | None:
    """A host that is watched already and asks the same address."""
    return Host.objects.filter(host=wish.host, family=wish.family).first()


def add_hosts(wishes: Iterable[Wish]) -> list[Host]:
    """Watch these, each under a free slug, all or none of them."""
    with transaction.atomic():
        taken = set(Host.objects.values_list("slug", flat=True))
        hosts = [Host(**_columns(wish), slug=_choose_slug(wish, taken)) for wish in wishes]
        return Host.objects.bulk_create(hosts, CHUNK)


def plan(wishes: Iterable[Wish], *, remove: bool = False) -> list[Step]:
    """What would make the watched hosts those of the wishes, told apart by name; others stay unless `remove`."""
    wishes, known = list(wishes), {host.name: host for host in Host.objects.select_related("parent").order_by("-id")}
    taken = {host.slug for host in known.values()}
    named = known | {
        wish.name: Host(**_columns(wish), slug=_choose_slug(wish, taken)) for wish in wishes if wish.name not in known
    }
    steps = []
    for wish in wishes:
        host, parent = named[wish.name], named[wish.parent] if wish.parent else None
        changes = _compare(host, wish) | _compare_parent(host, wish)
        kind = "add" if wish.name not in known else "change" if changes else "keep"
        steps.append(Step(kind, wish.name, host, changes, parent))
    gone = known.keys() - {wish.name for wish in wishes} if remove else ()
    return steps + [Step("remove", name, known[name], {}) for name in known if name in gone]


def apply(steps: Iterable[Step]) -> None:
    """Carry out a plan, all of it or nothing. Whom a host is reached through may come after it."""
    steps = list(steps)
    with transaction.atomic():
        for step in steps:
            if step.kind == "remove":
                step.host.delete()
            elif step.kind == "add":
                step.host.save()
            elif step.kind == "change":
                values = {name: after for name, (_, after) in step.changes.items() if name != "parent"}
                change_host(step.host, values)
        for step in steps:
            if "parent" in step.changes:
                change_host(step.host, {"parent": step.parent})


def change_host(host: Host, values: dict[str, Any]) -> None:
    """Give a host new values; one with another name to resolve begins anew."""
    if not values:
        return
    for name, value in values.items():
        setattr(host, name, value)
    if {"host", "family"} & set(values):
        host.address, host.problem = None, ""
        values = values | {"address": None, "problem": ""}
    host.save(update_fields=list(values))


def pause_hosts(hosts: Iterable[int], *, paused: bool) -> int:
    """Pause hosts or go on with them; how many that changed."""
    rows = Host.objects.filter(pk__in=hosts).exclude(paused=paused)
    return rows.update(paused=paused, changed_at=timezone.now())


def is_circle(host: Host, parent: Host | None) -> bool:
    """Whether a host would be reached through itself, were this its parent; in one query."""
    ways = dict(Host.objects.exclude(parent=None).values_list("pk", "parent_id"))
    passed: set[int] = set()
    at = parent.pk if parent else None
    while at is not None and at not in passed:
        if at == host.pk:
            return True
        passed.add(at)
        at = ways.get(at)
    return False


class Roster:
    """The hosts as the watcher knows them. `look` blocks, and raises what the database raises."""

    def __init__(self) -> None:
        self._stamps: dict[int, dt.datetime] = {}
        self._signature: tuple[int, dt.datetime | None] | None = None
        self._looks = 0

    def look(self) -> tuple[list[Host], set[int]]:
        """The hosts that were added or changed since the last look, and the ids of those that are gone."""
        found = Host.objects.aggregate(number=Count("pk"), newest=Max("changed_at"))
        signature = (found["number"], found["newest"])
        self._looks += 1
        if signature == self._signature and self._looks % LOOKS:
            return [], set()
        stamps = dict(Host.objects.values_list("pk", "changed_at"))
        changed = [pk for pk, stamp in stamps.items() if self._stamps.get(pk) != stamp]
        hosts = [host for start in range(0, len(changed), CHUNK) for host in _read(changed[start : start + CHUNK])]
        gone = self._stamps.keys() - stamps.keys()
        self._stamps, self._signature = stamps, signature
        return hosts, gone


def _read(ids: list[int]) -> list[Host]:
    return list(Host.objects.filter(pk__in=ids).order_by("pk"))


def _columns(wish: Wish) -> dict[str, Any]:
    columns = asdict(wish) | {"tags": list(wish.tags)}
    del columns["parent"]
    return columns


def _compare(host: Host, wish: Wish) -> dict[str, tuple[Any, Any]]:
    pairs = {name: (getattr(host, name), after) for name, after in _columns(wish).items()}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _compare_parent(host: Host, wish: Wish) -> dict[str, tuple[Any, Any]]:
    before = host.parent.name if host.parent else ""
    return {} if wish.parent in (None, before) else {"parent": (before, wish.parent)}


def read_ways() -> dict[str, str]:
    """The names of the watched hosts, and of what each is reached through, "" for nothing."""
    return {name: parent or "" for name, parent in Host.objects.order_by("-id").values_list("name", "parent__name")}


def _choose_slug(wish: Wish, taken: set[str]) -> str:
    stem = slugify(wish.name.replace(".", "-").replace(":", "-")) or slugify(wish.host.replace(".", "-")) or "host"
    stem = stem[:90].strip("-") or "host"
    slug = next(slug for slug in _number(stem) if slug not in taken)
    taken.add(slug)
    return slug


def _number(stem: str) -> Iterable[str]:
    # Pages of the site itself stand beside those of the hosts.
    if stem != "add":
        yield stem
    number = 2
    while True:
        yield f"{stem}-{number}"
        number += 1
