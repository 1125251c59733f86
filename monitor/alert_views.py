"""The doors of HTTP to channels and messages: who is told, whether that works, and what was told."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from monitor.access import for_staff
from monitor.channel_form import ChannelForm
from monitor.maintenance_form import list_zones
from monitor.models import Channel, Delivery, Fate, Kind, Occasion
from monitor.mouth import prepare

PAGE = 50
# A watcher claims a test within a second or two; without one it waits in vain.
PATIENCE_SECONDS = 30


@require_safe
@for_staff
def show_alerts(request: HttpRequest) -> HttpResponse:
    """The channels, each with the state of its last message, and the messages."""
    latest = Delivery.objects.filter(channel=OuterRef("pk")).exclude(fate=Fate.WITHHELD).order_by("-created_at", "-pk")
    channels = Channel.objects.annotate(last=Subquery(latest.values("pk")[:1])).prefetch_related("hosts")
    last = Delivery.objects.in_bulk([channel.last for channel in channels if channel.last])
    found = Delivery.objects.select_related("channel", "incident__host")
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    rows = [(channel, last.get(channel.last or 0)) for channel in channels]
    return render(request, "alerts/alerts.html", {"rows": rows, "page": page})


@for_staff
@require_http_methods(["GET", "POST"])
def add_channel(request: HttpRequest) -> HttpResponse:
    """Tell somebody more."""
    return _edit(request, Channel())


@for_staff
@require_http_methods(["GET", "POST"])
def edit_channel(request: HttpRequest, number: int) -> HttpResponse:
    """Change a channel; what is secret of it stays unless typed anew."""
    return _edit(request, get_object_or_404(Channel, pk=number))


@for_staff
@require_POST
def delete_channel(request: HttpRequest, number: int) -> HttpResponse:
    """Tell them no more; the record of what they were told goes too."""
    channel = get_object_or_404(Channel, pk=number)
    channel.delete()
    messages.success(request, _("%(name)s is told nothing more.") % {"name": channel.name})
    return redirect("alerts")


@for_staff
@require_http_methods(["GET", "HEAD", "POST"])
def test_channel(request: HttpRequest, number: int) -> HttpResponse:
    """Send a test, by the watcher and in the way of every message; then show what the service answered."""
    channel = get_object_or_404(Channel, pk=number)
    tests = Delivery.objects.filter(channel=channel, occasion=Occasion.TEST)
    if request.method == "POST":
        if not tests.filter(fate__in=(Fate.WAITING, Fate.SENDING)).exists():
            Delivery.objects.create(channel=channel, occasion=Occasion.TEST)
        return redirect("channel-test", number)
    test = tests.first()
    going = bool(test and test.fate in (Fate.WAITING, Fate.SENDING))
    waited = (timezone.now() - test.created_at).total_seconds() if test else 0
    context = {"channel": channel, "test": test, "going": going, "alone": going and waited > PATIENCE_SECONDS}
    return render(request, "alerts/test.html", context)


def _edit(request: HttpRequest, channel: Channel) -> HttpResponse:
    new = channel.pk is None
    form = ChannelForm(request.POST or None, instance=channel)
    context: dict[str, Any] = {"form": form, "channel": channel, "new": new, "zones": list_zones()}
    if request.method != "POST":
        if new or channel.kind == Kind.APPRISE:
            # By the time that an address is typed, who checks it has read all that it needs.
            prepare()
        return render(request, "alerts/edit.html", context)
    if not form.is_valid() or (saved := _save(form)) is None:
        return render(request, "alerts/edit.html", context, status=400)
    if form.new_secret:
        # Shown here and never again; so this page is no redirect, whose message would travel in a cookie.
        return render(request, "alerts/secret.html", {"channel": saved, "secret": form.new_secret})
    messages.success(request, _("%(name)s is saved. Send a test to see whether it works.") % {"name": saved.name})
    return redirect("alerts")


def _save(form: ChannelForm) -> Channel | None:
    """Save a channel; None where somebody, or a second click, took its name meanwhile, which the form says then."""
    try:
        with transaction.atomic():
            return form.save()
    except IntegrityError:
        form.add_error("name", form.instance.unique_error_message(Channel, ("name",)))
        return None
