"""The doors of HTTP to watched hosts: the board, a host's page and its history, adding, editing, deleting."""

import csv
import datetime as dt
from collections.abc import AsyncIterator
from typing import cast

from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from django.contrib import messages
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from monitor.access import for_lookers, for_staff
from monitor.board_page import MOST_ROWS, export_board, group_rows, host_shape, read_rows, reason_shape
from monitor.buckets import Series
from monitor.health import State
from monitor.minutes import read_minutes
from monitor.models import Host
from monitor.onlookers import Onlookers
from monitor.packing import Code
from monitor.roster import pause_hosts
from monitor.series import MOST_BUCKETS, read_distribution, read_hours_of_week, read_now, read_series
from monitor.tally import Tally
from monitor.visitors import may_change
from monitor.wire import Refusal
from monitor.words import refusal_words, words

HOUR = dt.timedelta(hours=1)
MINUTE_MS = 60_000
MOST_WEEKS = 52
# Minutes of packets that are read at a time for an export.
STEP = 240


@require_safe
@for_lookers
def show_board(request: HttpRequest) -> HttpResponse:
    """The board: every watched host, worst first; while there is none, the field to watch the first."""
    view = async_to_sync(onlookers_of(request).view)()
    rows = read_rows(view)
    context = {
        "rows": rows,
        "groups": group_rows(rows[:MOST_ROWS]),
        "shown": min(len(rows), MOST_ROWS),
        "number": len(rows),
        "at": view.at,
        "figures": view.figures,
        "may_change": may_change(request.user),
        "config": {"socket": "/ws/watch/", "board": "/hosts.json", "number": view.number},
        "words": words(),
    }
    return render(request, "hosts/board.html", context)


@require_safe
@for_lookers
def export_hosts(request: HttpRequest) -> HttpResponse:
    """The whole board as JSON, to begin with and after a gap."""
    text = export_board(async_to_sync(onlookers_of(request).view)())
    return HttpResponse(text, content_type="application/json")


@require_safe
@for_lookers
def show_host(request: HttpRequest, slug: str) -> HttpResponse:
    """The page of a host: now, its history, its facts."""
    host = get_object_or_404(Host, slug=slug)
    hour = read_now([host.pk]).get(host.pk)
    shape = host_shape(host, hour) | reason_shape(host)
    config = {"socket": "/ws/watch/", "host": shape, "may_change": may_change(request.user)}
    context = {"host": host, "hour": hour, "state": State(host.state), "config": config, "words": words()}
    return render(request, "hosts/host.html", context | {"may_change": may_change(request.user)})


@require_safe
@for_lookers
def export_series_json(request: HttpRequest, slug: str) -> HttpResponse:
    """What came of the packets between `since` and `until`, in at most `buckets` columns."""
    try:
        series = _read_series(request, slug)
    except Refusal as refusal:
        return _refuse(refusal)
    return JsonResponse({"width_ms": series.width_ms, "source": series.source, **series.columns})


@require_safe
@for_lookers
def export_series_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """The same as CSV, a row for each bucket; times in UTC, round trips in µs."""
    try:
        series = _read_series(request, slug)
    except Refusal as refusal:
        return _refuse(refusal)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{slug}.csv"'
    writer = csv.writer(response)
    times, *columns = series.columns.values()
    writer.writerow(series.columns)
    writer.writerows((_moment(at), *row) for at, *row in zip(times, *columns, strict=True))
    return response


@require_safe
@for_lookers
def export_packets_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Every packet between `since` and `until` as CSV, as long as it is kept; sent off while it is read."""
    host = get_object_or_404(Host, slug=slug)
    try:
        since, until = read_range(request)
    except Refusal as refusal:
        return _refuse(refusal)
    response = StreamingHttpResponse(_write_packets(host, since, until), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{slug}-packets.csv"'
    return response


@require_safe
@for_lookers
def export_week(request: HttpRequest, slug: str) -> HttpResponse:
    """Median (µs) and loss for each weekday from Monday and each hour, by UTC, over `weeks`."""
    host = get_object_or_404(Host, slug=slug)
    try:
        weeks = read_integer(request, "weeks", 4, 1, MOST_WEEKS)
    except Refusal as refusal:
        return _refuse(refusal)
    days = read_hours_of_week(host, weeks)
    return JsonResponse({"weeks": weeks, "days": [[tally and tally_shape(tally) for tally in day] for day in days]})


@require_safe
@for_lookers
def export_distribution(request: HttpRequest, slug: str) -> HttpResponse:
    """How the round trips between `since` and `until` spread: bins of least time, width (µs) and count."""
    host = get_object_or_404(Host, slug=slug)
    try:
        found = read_distribution(host, *read_range(request))
    except Refusal as refusal:
        return _refuse(refusal)
    return JsonResponse({"total": tally_shape(found.total), "bins": found.bins})


@for_staff
@require_POST
def pause_host(request: HttpRequest, slug: str) -> HttpResponse:
    """Pause a host, or go on with it."""
    host = get_object_or_404(Host, slug=slug)
    pause_hosts([host.pk], paused=request.POST.get("paused") == "yes")
    return redirect("host", slug)


@for_staff
@require_POST
def delete_host(request: HttpRequest, slug: str) -> HttpResponse:
    """Watch a host no more. Its history goes too, step by step."""
    host = get_object_or_404(Host, slug=slug)
    host.delete()
    messages.success(request, _("%(name)s is watched no more.") % {"name": host.name})
    return redirect("board")


def onlookers_of(request: HttpRequest) -> Onlookers:
    """The onlookers of the application that serves this request."""
    return cast(ASGIRequest, request).scope["onlookers"]


def tally_shape(tally: Tally) -> dict[str, int | None]:
    """The figures of a span: counts, and times in µs."""
    return {
        "sent": tally.sent,
        "received": tally.received,
        "not_measured": tally.not_measured,
        "min_us": tally.min_us,
        "median_us": tally.median_us,
        "max_us": tally.max_us,
    }


def read_range(request: HttpRequest) -> tuple[dt.datetime, dt.datetime]:
    """`since` and `until` of a request, ISO 8601 or ms since 1970; without them the last hour. `Refusal`."""
    until = _read_moment(request, "until") or timezone.now()
    since = _read_moment(request, "since") or until - HOUR
    if since >= until:
        raise Refusal("bad_value", "“since” must be before “until”.", reason="since")
    return since, until


def read_integer(request: HttpRequest, name: str, default: int, least: int, most: int) -> int:
    """A whole number of a request; `Refusal` where it is none, or out of bounds."""
    text = request.GET.get(name, "") or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 19) or not least <= int(text) <= most:
        raise Refusal("bad_value", f"“{name}” must be a whole number from {least} to {most}.", reason=name)
    return int(text)


def _read_moment(request: HttpRequest, name: str) -> dt.datetime | None:
    text = request.GET.get(name, "").strip()
    try:
        if text.isascii() and text.isdigit():
            return dt.datetime.fromtimestamp(int(text) / 1000, dt.UTC)
        # A plus sign in an address is a space to whoever reads it.
        moment = dt.datetime.fromisoformat(text.replace(" ", "+")) if text else None
        if moment:
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError, OSError):
        raise Refusal("bad_value", f"“{name}” must be a time in ISO 8601.", reason=name) from None
    if moment and moment.year < 1970:
        raise Refusal("bad_value", f"“{name}” must be after 1970.", reason=name)
    return moment


def _read_series(request: HttpRequest, slug: str) -> Series:
    buckets = read_integer(request, "buckets", MOST_BUCKETS, 1, MOST_BUCKETS)
    return read_series(get_object_or_404(Host, slug=slug), *read_range(request), buckets)


async def _write_packets(host: Host, since: dt.datetime, until: dt.datetime) -> AsyncIterator[str]:
    yield "due_at,status,rtt_ms\r\n"
    first, last = round(since.timestamp() * 1000), round(until.timestamp() * 1000)
    for minute in range(first // MINUTE_MS, -(-last // MINUTE_MS), STEP):
        found = await database_sync_to_async(read_minutes)(host.pk, minute, min(minute + STEP, -(-last // MINUTE_MS)))
        lines = []
        for number, slots in found:
            for place, value in enumerate(slots.values):
                at = number * MINUTE_MS + slots.offset_ms + place * slots.interval_ms
                if first <= at < last:
                    lines.append(_packet_line(at, value))
        yield "".join(lines)


def _packet_line(at: int, value: int) -> str:
    if value >= 0:
        return f"{_moment(at)},reply,{value / 1000:.3f}\r\n"
    return f"{_moment(at)},{Code(value).name.lower()},\r\n"


def _moment(at: int) -> str:
    return dt.datetime.fromtimestamp(at / 1000, dt.UTC).isoformat(timespec="milliseconds")


def _refuse(refusal: Refusal) -> HttpResponse:
    shape = {"code": refusal.code, "message": str(refusal_words(refusal))}
    return JsonResponse(shape | refusal.particulars, status=400)
