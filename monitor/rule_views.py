"""The doors of HTTP to rules: of a host, a group, or all; refusals beside the fields, and what they would find."""

import dataclasses
import datetime as dt
import re
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from monitor.access import for_staff
from monitor.chronicle import LATELY
from monitor.incident_views import span_shape
from monitor.models import Host, Incident, Rules
from monitor.replay import Spell, group_spells, replay
from monitor.rule_words import FIELDS, Field, say_source
from monitor.rules import Effective, RuleBook, check_rules, read_rules

# A dry run of many hosts ends after so many seconds, and says how far it came.
PATIENCE = 8.0
SHOWN = 100
TOKEN = re.compile(r"(\d{1,10})-(\d{1,7})-(\d{1,9})-(\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rules they are: those of a host, of a group, or of all where neither is set."""

    host: Host | None = None
    group: str | None = None

    def draft(self, **values: float | None) -> Rules:
        """Rules of this scope that are not saved."""
        return Rules(host=self.host, group=self.group, **values)

    def sample(self, interval: float = 1.0) -> Host:
        """A host that has these rules and no others of its own."""
        return self.host or Host(group=self.group or "", interval=interval)

    def hosts(self) -> QuerySet[Host]:
        """Those that the rules may concern."""
        if self.host:
            return Host.objects.filter(pk=self.host.pk)
        return Host.objects.filter(group=self.group) if self.group is not None else Host.objects.all()

    def saved(self) -> QuerySet[Rules]:
        """The row, where there is one."""
        return Rules.objects.filter(host=self.host, group=self.group)

    @property
    def path(self) -> str:
        """The page of these rules."""
        if self.host:
            return reverse("rules-host", args=[self.host.slug])
        return reverse("rules-group", args=[self.group]) if self.group is not None else reverse("rules")


@dataclass(slots=True)
class Line:
    """A field of the form: what stands in it, what applies where it is empty and whence, and what is wrong with it."""

    field: Field
    text: str
    inherited: str
    source: str
    problems: list[Any] = dataclasses.field(default_factory=list)


@dataclass(slots=True)
class Trial:
    """What rules would have found: incidents that are not saved, how many were `before` these, of hosts tried earlier;
    how many those that apply now would have, of how many hosts it was tried, and a `mark` of the rules."""

    found: list[Incident] = dataclasses.field(default_factory=list)
    before: int = 0
    present: int = 0
    tried: int = 0
    mark: int = 0

    @property
    def number(self) -> int:
        """How many incidents there would have been."""
        return self.before + len(self.found)

    @property
    def token(self) -> str:
        """What goes on from here."""
        return f"{self.mark}-{self.tried}-{self.number}-{self.present}"


@for_staff
@require_http_methods(["GET", "POST"])
def edit_rules(request: HttpRequest) -> HttpResponse:
    """The rules of all hosts."""
    return _edit(request, Scope())


@for_staff
@require_http_methods(["GET", "POST"])
def edit_group_rules(request: HttpRequest, group: str) -> HttpResponse:
    """The rules of a group."""
    scope = Scope(group=group)
    if "\0" in group or not (scope.hosts().exists() or scope.saved().exists()):
        raise Http404(group)
    return _edit(request, scope)


@for_staff
@require_http_methods(["GET", "POST"])
def edit_host_rules(request: HttpRequest, slug: str) -> HttpResponse:
    """The rules of a host."""
    return _edit(request, Scope(host=get_object_or_404(Host, slug=slug)))


def _edit(request: HttpRequest, scope: Scope) -> HttpResponse:
    book, given = read_rules(), request.POST if request.method == "POST" else _texts(scope.saved().first())
    lines = _list_lines(scope, book, given)
    if request.method != "POST":
        return _show(request, scope, lines)
    if request.POST.get("do") == "clear":
        scope.saved().delete()
        messages.success(request, _("The wider rules apply again."))
        return redirect(scope.path)
    draft = _read_draft(scope, book, lines)
    if draft is None:
        return _show(request, scope, lines, status=400)
    if request.POST.get("do") != "save":
        return _show(request, scope, lines, trial=_try_out(scope, book, draft, request.POST.get("after", "")))
    _save(scope, draft)
    messages.success(request, _("The rules are saved; they apply within a second or two."))
    return redirect(scope.path)


def _show(
    request: HttpRequest, scope: Scope, lines: list[Line], *, trial: Trial | None = None, status: int = 200
) -> HttpResponse:
    now = timezone.now()
    context: dict[str, Any] = {
        "scope": scope,
        "lines": lines,
        "saved": scope.saved().exists(),
        "trial": trial,
        "shown": trial.found[:SHOWN] if trial else [],
        "number": scope.hosts().count(),
        "groups": list(Host.objects.exclude(group="").order_by("group").values_list("group", flat=True).distinct()),
    }
    if trial and scope.host:
        since, until = (round(at.timestamp() * 1000) for at in (now - LATELY, now))
        series = f"/hosts/{scope.host.slug}/series.json?since={since}&until={until}"
        spans = [span_shape(incident) for incident in trial.found]
        context["config"] = {"series": series, "since": since, "until": until, "open": False, "incidents": spans}
    return render(request, "incidents/rules.html", context, status=status)


def _texts(saved: Rules | None) -> dict[str, str]:
    return {each.name: each.show(getattr(saved, each.name)) for each in FIELDS} if saved else {}


def _list_lines(scope: Scope, book: RuleBook, given: Mapping[str, str]) -> list[Line]:
    """The fields, with what applies where they are left empty."""
    wider = book.propose(scope.draft()).find(scope.sample())
    return [
        Line(
            each,
            given.get(each.name, "").strip()[:20],
            each.show(wider.values[each.name]) if wider.values[each.name] else "",
            say_source(wider.sources[each.name]),
        )
        for each in FIELDS
    ]


def _read_draft(scope: Scope, book: RuleBook, lines: list[Line]) -> Rules | None:
    """The rules that the fields ask for; None where one is wrong, which is then said beside it."""
    values = {line.field.name: _read(line) for line in lines}
    if any(line.problems for line in lines):
        return None
    draft = scope.draft(**values)
    proposed, by_name = book.propose(draft), {line.field.name: line for line in lines}
    for interval, timeout in set(scope.hosts().values_list("interval", "timeout")) or {(1.0, 2.0)}:
        for problem in check_rules(proposed.find(scope.sample(interval)).values, interval, timeout):
            line = by_name[problem.field]
            if problem.text not in line.problems:
                line.problems.append(problem.text)
    return None if any(line.problems for line in lines) else draft


def _read(line: Line) -> float | None:
    try:
        return line.field.read(line.text)
    except ValueError as error:
        line.problems.append(str(error))
        return None


def _save(scope: Scope, draft: Rules) -> None:
    try:
        _write(scope, draft)
    except IntegrityError:
        # Somebody saved the first rules of these hosts in this moment; these are the later ones.
        _write(scope, draft)


def _write(scope: Scope, draft: Rules) -> None:
    with transaction.atomic():
        values = {each.name: getattr(draft, each.name) for each in FIELDS}
        if all(value is None for value in values.values()):
            scope.saved().delete()
        elif saved := scope.saved().select_for_update().first():
            for name, value in values.items():
                setattr(saved, name, value)
            saved.save()
        else:
            draft.save()


def _try_out(scope: Scope, book: RuleBook, draft: Rules, after: str) -> Trial:
    """What the last 30 days would have been with the draft, and with the rules that apply now; `after` is the token of
    the trial that this goes on with."""
    trial, until, deadline = _go_on(after, draft), timezone.now(), time.monotonic() + PATIENCE
    proposed = book.propose(draft)
    for host in scope.hosts().order_by("name", "pk")[trial.tried :]:
        trial.present += len(list(_replay(host, book.find(host), until)))
        trial.found += _replay(host, proposed.find(host), until)
        trial.tried += 1
        if time.monotonic() > deadline:
            break
    trial.found.sort(key=lambda incident: incident.began_at, reverse=True)
    return trial


def _go_on(after: str, draft: Rules) -> Trial:
    """A trial that goes on with one of the same rules, or begins."""
    mark = zlib.crc32(repr([getattr(draft, each.name) for each in FIELDS]).encode())
    found = TOKEN.fullmatch(after)
    if not found or int(found[1]) != mark:
        return Trial(mark=mark)
    tried, before, present = (int(part) for part in found.groups()[1:])
    return Trial(before=before, present=present, tried=tried, mark=mark)


def _replay(host: Host, effective: Effective, until: dt.datetime) -> Iterator[Incident]:
    """The incidents that a host would have had; none of them is saved."""
    for spells in group_spells(replay(host, effective, until - LATELY, until)):
        worst = next((spell for spell in spells if spell.state == "down"), spells[0])
        yield Incident(
            host=host,
            state=worst.state.value,
            reason=worst.reason,
            measure={"value": worst.value, "limit": worst.limit},
            began_at=_moment(spells[0].began_at),
            ended_at=_end(spells[-1]),
        )


def _end(spell: Spell) -> dt.datetime | None:
    return None if spell.ended_at is None else _moment(spell.ended_at)


def _moment(at_us: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(at_us / 1_000_000, dt.UTC)
