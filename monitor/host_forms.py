"""The doors of HTTP to adding hosts, one or two hundred, and to editing one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from monitor.access import for_staff
from monitor.hosts import MAX_LINES, Line, Wish, parse_lines, parse_wish
from monitor.models import Host
from monitor.roster import add_hosts, change_host, find_twin, is_circle
from monitor.wire import Refusal
from monitor.words import refusal_words

NUMBERS = ("interval", "timeout")
# What the form of a host has as text.
TEXTS = ("name", "host", "family", "group")


@dataclass(frozen=True, slots=True)
class Complaint:
    """A line that could not be taken, and why, in the reader's language."""

    number: int
    text: str
    sentence: str
    twin: Host | None = None


@for_staff
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Watch what stands in the lines. Those that are wrong, or watched already, come back with what to say of them;
    the others are watched from now on."""
    if request.method != "POST":
        context = {"lines": request.GET.get("host", ""), "values": {"interval": 1}, "most": MAX_LINES}
        return render(request, "hosts/add.html", context)
    try:
        lines = parse_lines(request.POST.get("lines", ""), **_read_options(request.POST))
    except Refusal as refusal:
        context = {"lines": request.POST.get("lines", ""), "values": request.POST, "problem": refusal_words(refusal)}
        return render(request, "hosts/add.html", context | {"most": MAX_LINES}, status=400)
    wishes, complaints = _sort(lines, again=request.POST.get("again") == "yes")
    hosts = add_hosts(wishes)
    if hosts:
        said = ngettext("%(number)d host is watched.", "%(number)d hosts are watched.", len(hosts))
        messages.success(request, said % {"number": len(hosts)})
    if hosts and not complaints:
        return redirect("host", hosts[0].slug) if len(hosts) == 1 else redirect("board")
    context = {
        "complaints": complaints,
        "twins": any(complaint.twin for complaint in complaints),
        "lines": "\n".join(complaint.text for complaint in complaints),
        "values": request.POST,
        "most": MAX_LINES,
        "problem": "" if complaints else _("Type an address or a host name."),
    }
    return render(request, "hosts/add.html", context, status=400)


@for_staff
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """Change a host; its history stays."""
    host = get_object_or_404(Host, slug=slug)
    if request.method != "POST":
        return render(request, "hosts/edit.html", {"values": _values(host)} | _choices(host))
    try:
        wish = next(iter(parse_wish(_read_form(request.POST))))
        values = _columns(wish) | {"parent_id": _read_parent(host, request.POST.get("parent", "").strip())}
    except Refusal as refusal:
        context = {"values": request.POST, "problem": refusal_words(refusal)} | _choices(host)
        return render(request, "hosts/edit.html", context, status=400)
    change_host(host, {name: value for name, value in values.items() if value != getattr(host, name)})
    return redirect("host", slug)


def _choices(host: Host) -> dict[str, Any]:
    """What the form offers: groups that there are, and hosts to be reached through."""
    groups = Host.objects.exclude(group="").order_by("group").values_list("group", flat=True).distinct()
    return {"host": host, "groups": groups, "others": Host.objects.exclude(pk=host.pk).order_by("name")}


def _read_parent(host: Host, slug: str) -> int | None:
    """The host that one is reached through, by the address of its page."""
    if not slug:
        return None
    parent = Host.objects.filter(slug=slug.replace("\0", "")).first()
    if parent is None or is_circle(host, parent):
        raise Refusal("bad_field", "A host is reached through another, and not through itself.", reason="parent")
    return parent.pk


def _sort(lines: list[Line], *, again: bool) -> tuple[list[Wish], list[Complaint]]:
    """What is to be watched, and what is to be said. A host that is watched already is no error: `again` adds it."""
    wishes: list[Wish] = []
    complaints: list[Complaint] = []
    for line in lines:
        refusal, twin = line.problem, None
        if refusal is None and not again:
            twin = next((found for wish in line.wishes if (found := find_twin(wish))), None)
            known = {(wish.host, wish.family) for wish in wishes}
            if twin:
                refusal = Refusal("watched", f"It is watched already, as {twin.name}.", name=twin.name)
            elif any((wish.host, wish.family) in known for wish in line.wishes):
                refusal = Refusal("twice", "It stands in the lines twice.")
        if refusal:
            complaints.append(Complaint(line.number, line.text, refusal_words(refusal), twin))
        else:
            wishes += line.wishes
    return wishes, complaints


def _read_options(fields: Mapping[str, str]) -> dict[str, Any]:
    """What holds for every line; checked with a host that is good, so that no line is blamed for it."""
    options = _read_numbers(fields) | ({"family": fields["family"]} if fields.get("family") else {})
    next(iter(parse_wish({"host": "127.0.0.1", **options, "family": "auto"})))
    return options


def _read_form(fields: Mapping[str, str]) -> dict[str, Any]:
    texts = {name: fields[name] for name in TEXTS if fields.get(name)}
    tags = fields.get("tags", "").replace(",", " ").split()
    return texts | _read_numbers(fields) | {"tags": tags, "paused": fields.get("paused") == "yes"}


def _read_numbers(fields: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in NUMBERS:
        if text := fields.get(name, "").strip():
            try:
                found[name] = float(text)
            except ValueError:
                found[name] = text
    return found


def _columns(wish: Wish) -> dict[str, Any]:
    names = (*TEXTS, *NUMBERS, "paused")
    return {name: getattr(wish, name) for name in names} | {"tags": list(wish.tags)}


def _values(host: Host) -> dict[str, Any]:
    return {name: getattr(host, name) for name in (*TEXTS, *NUMBERS)} | {
        "tags": " ".join(host.tags),
        "paused": "yes" if host.paused else "no",
        "parent": host.parent.slug if host.parent else "",
    }
