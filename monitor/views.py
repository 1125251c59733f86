"""The doors of HTTP: the home page, a run as a page, CSV and JSON, the documentation, health."""

import csv
import sys
import uuid
from typing import Any, cast

from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from monitor import forms
from monitor.diagnosis import diagnose, readiness
from monitor.history import Found
from monitor.runs import Runs
from monitor.visitors import visitor_of_request
from monitor.wire import Refusal, ping_shape, run_shape, socket_group
from monitor.words import refusal_words, words

CSV_FIELDS = ("sent_at", "status", "rtt_ms", "ttl", "source", "bytes", "duplicates")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def show_home(request: HttpRequest) -> HttpResponse:
    """The page with the button; without JavaScript its form is posted, and leads to the run's page."""
    if request.method != "POST":
        return render(request, "home.html", page_context(None))
    try:
        return start_posted_run(request)
    except Refusal as refusal:
        context = page_context(None) | {"problem": refusal_words(refusal), "values": request.POST}
        return render(request, "home.html", context, status=429 if refusal.code == "too_fast" else 400)


def start_posted_run(request: HttpRequest) -> HttpResponse:
    """Start the run that a form asks for and lead to its page; `Refusal` where it may not start."""
    order = forms.parse_form(request.POST.dict())
    if isinstance(order, Refusal):
        raise order
    identity = uuid.uuid4()
    visitor, group = visitor_of_request(request), socket_group(identity.hex)
    async_to_sync(runs_of(request).launch)(identity, order, visitor, group)
    response = HttpResponseRedirect(reverse("run", args=[identity]))
    response.status_code = 303
    return response


@never_cache
@require_safe
def show_run(request: HttpRequest, identity: uuid.UUID) -> HttpResponse:
    """A run as a page of its own: live while it goes on, afterwards the record."""
    run, replies = find_or_404(request, identity)
    shape = run_shape(run, replies)
    return render(request, "run.html", page_context(shape) | {"run": run, "lines": shape["lines"]})


@never_cache
@require_safe
def export_run_csv(request: HttpRequest, identity: uuid.UUID) -> HttpResponse:
    """The pings of a run as CSV, a row each; times are UTC, round trips milliseconds, empty where there was none."""
    run, replies = find_or_404(request, identity)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="ping-{run.id}.csv"'
    writer = csv.writer(response)
    writer.writerow(["index", "sent_at", "status", "rtt_ms", "ttl", "source", "bytes", "duplicates", "line"])
    for reply in replies:
        ping = ping_shape(reply, run.address)
        writer.writerow([ping["data1"], *(ping[name] for name in CSV_FIELDS), ping["data"]])
    return response


@never_cache
@require_safe
def export_run_json(request: HttpRequest, identity: uuid.UUID) -> HttpResponse:
    """A whole run as JSON."""
    run, replies = find_or_404(request, identity)
    shape = run_shape(run, replies)
    shape["started_at"], shape["finished_at"] = run.started_at, run.finished_at
    shape["engine"] = run.engine
    shape["lines"] = [ping_shape(reply, run.address) for reply in replies]
    return JsonResponse(shape)


@require_safe
def show_docs(request: HttpRequest, page: str = "index") -> HttpResponse:
    """A page of the documentation, in the reader's language where it is written in that."""
    try:
        return render(request, [f"docs/{get_language()}/{page}.html", f"docs/{page}.html"])
    except (TemplateDoesNotExist, OSError):
        # No such file, or no file may have such a name.
        raise Http404(page) from None


@never_cache
@require_safe
def show_health(request: HttpRequest) -> HttpResponse:
    """Whether the process answers."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def show_readiness(request: HttpRequest) -> HttpResponse:
    """Whether a run would work: database, channel layer, ICMP. 503 where one of them would not."""
    findings = diagnose(readiness())
    ready = all(finding.good for finding in findings)
    # The cure is for the operator: it stands in the log and in `manage.py doctor`, not on a public page.
    checks = {finding.subject: "ok" if finding.good else "failed" for finding in findings}
    return JsonResponse({"status": "ok" if ready else "failed", "checks": checks}, status=200 if ready else 503)


def show_failure(request: HttpRequest) -> HttpResponse:
    """What a request gets that failed; one that failed for want of the database may be tried again."""
    away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    page = get_template("503.html" if away else "500.html").render()
    return HttpResponse(page, status=503 if away else 500)


def find_or_404(request: HttpRequest, identity: uuid.UUID) -> Found:
    """A run and its replies."""
    if (kept := async_to_sync(runs_of(request).find)(identity)) is None:
        raise Http404(str(identity))
    return kept


def runs_of(request: HttpRequest) -> Runs:
    """The runs of the application that serves this request."""
    return cast(ASGIRequest, request).scope["runs"]


def page_context(run: dict[str, Any] | None) -> dict[str, Any]:
    """What both pages with a live run hand to their template."""
    config = {
        "socket": "/ws/ping/",
        "default_host": settings.PINGSITE_DEFAULT_HOST,
        "default_count": settings.PINGSITE_DEFAULT_COUNT,
        "default_interval": settings.PINGSITE_DEFAULT_INTERVAL,
        "default_timeout": settings.PINGSITE_TIMEOUT,
        "max_count": forms.MAX_COUNT,
        "min_interval": forms.MIN_INTERVAL,
        "max_interval": forms.MAX_INTERVAL,
        "min_timeout": forms.MIN_TIMEOUT,
        "max_timeout": forms.MAX_TIMEOUT,
        "run": run,
        "run_url": "/runs/__run__",
    }
    return {"config": config, "words": words(), "default_host": settings.PINGSITE_DEFAULT_HOST}
