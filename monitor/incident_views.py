"""The doors of HTTP to incidents: the list, an incident's page, its notes, and the link that shows it to strangers."""

import csv
import datetime as dt
import io
import uuid
from collections.abc import AsyncIterator, Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from monitor.access import for_lookers, for_staff
from monitor.chronicle import (
    Choice,
    add_details,
    find_stretch,
    list_beside,
    list_between,
    list_course,
    list_groups,
    list_incidents,
    read_around,
    read_choice,
)
from monitor.host_views import read_integer, read_range
from monitor.models import Delivery, Host, Incident, Note
from monitor.series import MOST_BUCKETS, read_series
from monitor.visitors import may_change, may_look
from monitor.windows import read_calendar
from monitor.wire import Refusal
from monitor.words import refusal_words

PAGE = 50
LONGEST_NOTE = 4000
WATCH_SOCKET = "/ws/watch/"
# More windows than that are narrower than a pixel.
MOST_SPANS = 1000
COLUMNS = (
    "id", "host", "state", "began_at", "noticed_at", "ended_at", "end_noticed_at", "duration_s", "ending", "reason",
    "value", "limit", "flapping", "behind", "part_of",
)  # fmt: skip


def for_readers(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let in whoever may see the hosts, and strangers to what was shared; `stranger` tells the view which."""

    @wraps(view)
    def respond(request: HttpRequest, identity: uuid.UUID) -> HttpResponseBase:
        stranger = not may_look(request.user)
        incident = Incident.objects.select_related("host", "behind", "part_of__host").filter(identity=identity).first()
        if stranger and (incident is None or incident.shared_at is None):
            # The same for one that is not there: nobody finds out by asking.
            if request.path.endswith(".json"):
                raise PermissionDenied
            return redirect_to_login(request.get_full_path())
        return view(request, incident or get_object_or_404(Incident, identity=identity), stranger=stranger)

    return never_cache(respond)


@require_safe
@for_lookers
def show_incidents(request: HttpRequest) -> HttpResponse:
    """What is bad and what was, open ones first."""
    choice = read_choice(request.GET)
    pages = Paginator(add_details(list_incidents(choice, timezone.now())), PAGE)
    page = pages.get_page(request.GET.get("page"))
    context = {
        "page": page,
        "open": [incident for incident in page if not incident.ended_at],
        "over": [incident for incident in page if incident.ended_at],
        "choice": choice,
        "query": _query(choice),
        "groups": list_groups(),
        "config": {"socket": WATCH_SOCKET},
        "may_change": may_change(request.user),
    }
    return render(request, "incidents/list.html", context)


@require_safe
@for_lookers
def export_incidents(request: HttpRequest) -> HttpResponseBase:
    """The same as CSV, those of the network with their parts; times in UTC, values in the unit of their rule."""
    found = list_incidents(read_choice(request.GET), timezone.now())
    response = StreamingHttpResponse(_write_rows(found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="incidents.csv"'
    return response


@require_safe
@for_lookers
def export_host_incidents(request: HttpRequest, slug: str) -> HttpResponse:
    """The incidents of a host that a stretch of time touches, and its maintenance, to be drawn over its chart; times in
    ms since 1970."""
    host = get_object_or_404(Host, slug=slug)
    try:
        since, until = read_range(request)
    except Refusal as refusal:
        return _refuse(refusal)
    spans = read_calendar().spans(host, since, until)
    shapes = [{"since": _to_ms(began), "until": _to_ms(ended)} for began, ended in spans[:MOST_SPANS]]
    found = list_between(host, since, until)
    return JsonResponse({"incidents": [span_shape(incident) for incident in found], "maintenance": shapes})


@require_safe
@for_readers
def show_incident(request: HttpRequest, incident: Incident, *, stranger: bool) -> HttpResponse:
    """An incident with all that is known of it. Strangers see no addresses, no other hosts, and nobody who was told."""
    now = timezone.now()
    since, until = find_stretch(incident, now)
    beside = [] if stranger else list_beside(incident, now)
    incident.number = incident.parts.count() if incident.host_id is None else 0  # type: ignore[attr-defined]
    config = {
        # Strangers would be turned away there: their page looks now and then.
        "socket": None if stranger else WATCH_SOCKET,
        "host": incident.host_id,
        "series": f"/incidents/{incident.identity}/series.json",
        "since": _to_ms(since),
        "until": _to_ms(until),
        "open": incident.ended_at is None,
        "incidents": [span_shape(incident)],
    }
    context = {
        "incident": incident,
        "around": read_around(incident, now) if incident.host_id else None,
        "beside": beside,
        "course": list_course(incident, now),
        "notes": incident.notes.select_related("author"),
        "deliveries": _list_deliveries(request, incident, stranger=stranger),
        "stranger": stranger,
        "may_note": request.user.is_authenticated and not stranger,
        "may_change": may_change(request.user),
        "link": request.build_absolute_uri(request.path),
        "config": config,
        "since": since,
        "until": until,
    }
    return render(request, "incidents/incident.html", context)


@require_safe
@for_readers
def export_incident_series(request: HttpRequest, incident: Incident, *, stranger: bool) -> HttpResponse:
    """The columns of the chart around an incident."""
    if incident.host is None:
        return JsonResponse({"code": "no_host"}, status=404)
    try:
        buckets = read_integer(request, "buckets", MOST_BUCKETS, 1, MOST_BUCKETS)
    except Refusal as refusal:
        return _refuse(refusal)
    since, until = find_stretch(incident, timezone.now())
    series = read_series(incident.host, since, until, buckets)
    return JsonResponse({"width_ms": series.width_ms, "source": series.source, **series.columns})


@require_POST
@for_lookers
def add_note(request: HttpRequest, identity: uuid.UUID) -> HttpResponse:
    """Write something to an incident, as somebody who has signed in."""
    if not request.user.is_authenticated:
        return redirect_to_login(f"/incidents/{identity}/")
    incident = get_object_or_404(Incident, identity=identity)
    text = request.POST.get("text", "").replace("\0", "").strip()[:LONGEST_NOTE]
    # A second click writes nothing a second time.
    if text and not incident.notes.filter(author=request.user, text=text).exists():
        Note.objects.create(incident=incident, author=request.user, text=text)
    return redirect("incident", identity)


@require_POST
@for_staff
def share_incident(request: HttpRequest, identity: uuid.UUID) -> HttpResponse:
    """Let whoever has the address of an incident read it, or nobody any more."""
    incident = get_object_or_404(Incident, identity=identity)
    shared = request.POST.get("shared") == "yes"
    # Only this column: whoever watches may be writing the others.
    Incident.objects.filter(pk=incident.pk).update(shared_at=timezone.now() if shared else None)
    return redirect("incident", identity)


def span_shape(incident: Incident) -> dict[str, Any]:
    """An incident as it is drawn over a chart; times in ms since 1970."""
    return {
        "state": incident.state,
        "since": _to_ms(incident.began_at),
        "until": _to_ms(incident.ended_at) if incident.ended_at else None,
        "path": f"/incidents/{incident.identity}/",
    }


def _list_deliveries(
    request: HttpRequest, incident: Incident, *, stranger: bool
) -> QuerySet[Delivery] | list[Delivery]:
    if stranger or not request.user.is_authenticated:
        return []
    return incident.deliveries.select_related("channel").order_by("created_at")


def _to_ms(moment: dt.datetime) -> int:
    return round(moment.timestamp() * 1000)


def _query(choice: Choice) -> str:
    given = {name: getattr(choice, name) for name in ("host", "group", "state", "month")}
    return urlencode({name: value for name, value in given.items() if value})


async def _write_rows(found: QuerySet[Incident]) -> AsyncIterator[str]:
    yield _line(COLUMNS)
    async for incident in found.aiterator(500):
        yield _line(_row(incident))
        if incident.host_id is None:
            async for part in incident.parts.select_related("host", "behind", "part_of").aiterator(500):
                yield _line(_row(part))


def _row(incident: Incident) -> tuple[Any, ...]:
    end, measure = incident.ended_at, incident.measure if isinstance(incident.measure, dict) else {}
    times = (incident.began_at, incident.noticed_at, end, incident.end_noticed_at)
    return (
        incident.identity,
        incident.host.slug if incident.host else "",
        incident.state,
        *(time.isoformat() if time else "" for time in times),
        f"{(end - incident.began_at).total_seconds():.6f}" if end else "",
        incident.ending,
        incident.reason,
        measure.get("value"),
        measure.get("limit"),
        "yes" if incident.flapping else "",
        incident.behind.slug if incident.behind else "",
        incident.part_of.identity if incident.part_of else "",
    )


def _line(cells: tuple[Any, ...]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()


def _refuse(refusal: Refusal) -> HttpResponse:
    shape = {"code": refusal.code, "message": str(refusal_words(refusal))}
    return JsonResponse(shape | refusal.particulars, status=400)
