"""The doors of HTTP to uptime and to the reports of months."""

import csv
import datetime as dt
import io
import re
from collections.abc import AsyncIterator, Iterable
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from asgiref.sync import sync_to_async
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from monitor.access import for_lookers
from monitor.maintenance_form import REFUSALS, list_zones
from monitor.models import Host
from monitor.recurrence import BadRecurrence, find_zone
from monitor.report import COLUMNS, list_rows, read_outages, read_report
from monitor.uptime import list_days, list_months, list_years, read_accounts

UTC = ZoneInfo("UTC")
# The newest of them stand under the uptime that they made.
MOST_OUTAGES = 100
# So many hosts a page: each has a month to be added up, and takes sheets of paper.
MOST_HOSTS = 50
MONTH = re.compile(r"((?:19[7-9]|2[01]\d)\d)-(0[1-9]|1[0-2])", re.ASCII)


@require_safe
@for_lookers
def show_uptime(request: HttpRequest, slug: str) -> HttpResponse:
    """The uptime of a host by day of this month, by month of this year, or by year."""
    host = get_object_or_404(Host, slug=slug)
    zone, problem = _read_zone(request)
    now, by = timezone.now(), request.GET.get("by", "day")
    local = now.astimezone(zone)
    if by == "year":
        spans, pattern = list_years(host.created_at.astimezone(zone).year, local.year, zone), "Y"
    elif by == "month":
        spans, pattern = list_months(local.year, zone), "Y-m"
    else:
        spans, pattern = list_days(local.year, local.month, zone), "Y-m-d"
    accounts = read_accounts(host, spans, now)[::-1]
    outages = read_outages(host, spans[0][0], now)[: -MOST_OUTAGES - 1 : -1]
    context = {
        "host": host,
        "accounts": accounts,
        "outages": outages,
        "pattern": pattern,
        "by": by,
        "zone": zone,
        "problem": problem,
    }
    return render(request, "reports/uptime.html", context | {"zones": list_zones()}, status=400 if problem else 200)


@require_safe
@for_lookers
def find_report(request: HttpRequest, slug: str) -> HttpResponse:
    """Lead to the report of the month that was chosen; without one, of the month before this."""
    host = get_object_or_404(Host, slug=slug)
    return _lead(request, reverse("host-report", args=[host.slug, _choose_month(request)]))


@require_safe
@for_lookers
def find_group_report(request: HttpRequest) -> HttpResponse:
    """The same for a group."""
    return _lead(request, reverse("report", args=[_choose_month(request)]))


@require_safe
@for_lookers
def show_report(request: HttpRequest, slug: str, month: str) -> HttpResponse:
    """A month of a host, on pages that print."""
    return _show(request, Host.objects.filter(pk=get_object_or_404(Host, slug=slug).pk), month)


@require_safe
@for_lookers
def export_report(request: HttpRequest, slug: str, month: str) -> HttpResponseBase:
    """The same as CSV."""
    return _export(request, Host.objects.filter(pk=get_object_or_404(Host, slug=slug).pk), month, f"{slug}-{month}")


@require_safe
@for_lookers
def show_group_report(request: HttpRequest, month: str) -> HttpResponse:
    """A month of the hosts of a group, some of them a page."""
    return _show(request, _list_group(request), month, request.GET.get("group", ""))


@require_safe
@for_lookers
def export_group_report(request: HttpRequest, month: str) -> HttpResponseBase:
    """The same of all of them as CSV, host by host as each is added up."""
    return _export(request, _list_group(request), month, f"hosts-{month}")


def _lead(request: HttpRequest, path: str) -> HttpResponse:
    """To a report, of the group and the zone that were chosen; without a zone the page finds the reader's."""
    kept = {name: request.GET[name] for name in ("group", "zone") if request.GET.get(name)}
    return redirect(f"{path}?{urlencode(kept)}" if kept else path)


def _choose_month(request: HttpRequest) -> str:
    month, last = request.GET.get("month", ""), timezone.now().replace(day=1) - dt.timedelta(days=1)
    return month if MONTH.fullmatch(month) else f"{last:%Y-%m}"


def _show(request: HttpRequest, hosts: QuerySet[Host], month: str, group: str | None = None) -> HttpResponse:
    zone, problem = _read_zone(request)
    year, number = _read_month(month)
    page, now = Paginator(hosts, MOST_HOSTS).get_page(request.GET.get("page")), timezone.now()
    picker = reverse("host-reports", args=[page[0].slug]) if group is None else reverse("reports")
    context = {
        "reports": [read_report(host, year, number, zone, now) for host in page], "page": page, "month": month,
        "zone": zone, "zones": list_zones(), "problem": problem, "now": now,
        "csv": f"{request.path}.csv?{request.GET.urlencode()}", "group": group, "picker": picker,
    }  # fmt: skip
    return render(request, "reports/report.html", context, status=400 if problem else 200)


def _export(request: HttpRequest, hosts: QuerySet[Host], month: str, name: str) -> HttpResponseBase:
    zone, problem = _read_zone(request)
    if problem:
        return HttpResponse(problem, status=400, content_type="text/plain; charset=utf-8")
    rows = _write_rows(hosts, *_read_month(month), zone)
    response = StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


async def _write_rows(hosts: QuerySet[Host], year: int, month: int, zone: ZoneInfo) -> AsyncIterator[str]:
    """The lines, a host at a time: nobody waits for all to be added up, and none of it stays in memory."""
    yield _to_lines([(*COLUMNS, "zone")])
    now = timezone.now()
    async for host in hosts.aiterator(100):
        report = await sync_to_async(read_report)(host, year, month, zone, now)
        yield _to_lines((*row, zone.key) for row in list_rows(report))


def _to_lines(rows: Iterable[tuple[Any, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _read_month(month: str) -> tuple[int, int]:
    if not (found := MONTH.fullmatch(month)):
        raise Http404(month)
    return int(found[1]), int(found[2])


def _list_group(request: HttpRequest) -> QuerySet[Host]:
    # PostgreSQL refuses the question for a text with a NUL.
    hosts = Host.objects.filter(group=request.GET.get("group", "").replace("\0", ""))
    if not hosts.exists():
        raise Http404("group")
    return hosts


def _read_zone(request: HttpRequest) -> tuple[ZoneInfo, str]:
    """The zone of a request, UTC without one or where there is no such zone, and what to say then."""
    try:
        return find_zone(request.GET.get("zone", "").strip() or "UTC"), ""
    except BadRecurrence as bad:
        return UTC, str(REFUSALS[bad.code])
