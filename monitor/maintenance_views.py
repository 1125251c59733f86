"""The doors of HTTP to maintenance windows: the list, adding, changing, cancelling, deleting."""

import datetime as dt
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from monitor.access import for_lookers, for_staff
from monitor.maintenance_form import MaintenanceForm, list_zones
from monitor.models import Maintenance
from monitor.recurrence import BadRecurrence
from monitor.visitors import may_change
from monitor.windows import list_spans, read_recurrence

NEXT = 5


class Occurrence(NamedTuple):
    """A time of maintenance in UTC, and by the wall clock of its window: naive, for templates turn what has a zone."""

    start: dt.datetime
    end: dt.datetime
    local_start: dt.datetime
    local_end: dt.datetime


@require_safe
@for_lookers
def show_maintenance(request: HttpRequest) -> HttpResponse:
    """Every window with when it is next, the soonest first; those that are over or cancelled stand last."""
    now = timezone.now()
    windows = [
        (window, None if window.cancelled else next(iter(list_next(window, now, 1)), None))
        for window in Maintenance.objects.prefetch_related("hosts")
    ]
    windows.sort(key=lambda each: each[1].start.timestamp() if each[1] else float("inf"))
    context = {"windows": windows, "now": now, "may_change": may_change(request.user)}
    return render(request, "maintenance/list.html", context)


@for_staff
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Plan a window; `preview` shows when it would be and keeps nothing."""
    return _answer(request, Maintenance())


@for_staff
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a window."""
    return _answer(request, get_object_or_404(Maintenance, pk=pk))


@for_staff
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a window count no more, or count again; it stays in the list."""
    cancelled = request.POST.get("cancelled") == "yes"
    Maintenance.objects.filter(pk=get_object_or_404(Maintenance, pk=pk).pk).update(cancelled=cancelled)
    return redirect("maintenance")


@for_staff
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a window. What was maintenance stays so in the history."""
    get_object_or_404(Maintenance, pk=pk).delete()
    return redirect("maintenance")


def list_next(window: Maintenance, now: dt.datetime, most: int = NEXT) -> list[Occurrence]:
    """The next times of a window, one that is under way included; none where it cannot be."""
    try:
        zone, spans = read_recurrence(window).zone, list_spans(window, now, most=most)
    except BadRecurrence:
        return []
    return [Occurrence(*span, *(moment.astimezone(zone).replace(tzinfo=None) for moment in span)) for span in spans]


def _answer(request: HttpRequest, window: Maintenance) -> HttpResponse:
    posted = request.method == "POST"
    initial = None if window.pk else {"starts_on": timezone.now().date(), "hosts": request.GET.getlist("host")}
    form = MaintenanceForm(request.POST if posted else None, instance=window, initial=initial)
    good = posted and form.is_valid()
    if good and "preview" not in request.POST:
        form.save()
        return redirect("maintenance")
    previewed = list_next(form.instance, timezone.now()) if good or (window.pk and not posted) else None
    context = {"form": form, "window": window, "zones": list_zones(), "next": previewed}
    return render(request, "maintenance/form.html", context, status=400 if posted and not good else 200)
