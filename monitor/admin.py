"""The admin: every run and every ping of it, to read."""

import csv
import datetime as dt
import io
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from monitor import (  # noqa: F401 - importing them registers them
    alert_admin,
    host_admin,
    incident_admin,
    maintenance_admin,
)
from monitor.models import WITH_REPLIES, Outcome, Ping, Run, User
from monitor.ping.reply import Status, format_line
from monitor.tables import ReadOnly, Record, Table

SHAPES = {
    Outcome.RUNNING: "◌",
    Outcome.FINISHED: "✓",
    Outcome.STOPPED: "⏹",
    Outcome.INTERRUPTED: "▨",
    Outcome.FAILED: "✕",
}
RUN_COLUMNS = (
    "id", "started_at", "finished_at", "host", "address", "outcome", "count", "interval", "timeout", "engine", "client",
    "sent", "received", "lost", "not_sent", "duplicates", "late", "min_us", "avg_us", "max_us", "mdev_us", "jitter_us",
)  # fmt: skip
TIMES = ("fastest", "average", "slowest", "mdev", "jitter")
CSV_PIECE = 65_536  # characters that are sent at a time
PING_COLUMNS = ("run_id", "index", "sent_at", "status", "rtt_us", "ttl", "source", "size", "duplicates")

admin.site.site_header = admin.site.site_title = "pingsite"
admin.site.site_url = "/home"
admin.site.unregister(Group)


@admin.register(User)
class PeopleAdmin(Table, UserAdmin):
    """Who may sign in."""


@admin.register(Group)
class GroupsAdmin(Table, GroupAdmin):
    """What some of them may do."""


class LossFilter(admin.SimpleListFilter):
    """Runs by how many of their pings had a reply."""

    title = _("replies")
    parameter_name = "replies"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The choices."""
        return [("all", _("✓ all")), ("some", _("▲ some")), ("none", _("✕ none"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        """The runs of a choice."""
        return queryset.filter(WITH_REPLIES[choice]) if (choice := self.value()) in WITH_REPLIES else queryset


class HostFilter(admin.SimpleListFilter):
    """Runs by host: those pinged most of late."""

    title = _("host")
    parameter_name = "host"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The 20 most frequent hosts of the last 1,000 runs."""
        recent = Run.objects.order_by("-started_at").values_list("host", flat=True)[:1000]
        return [(host, host) for host, _runs in Counter(recent).most_common(20)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Run]) -> QuerySet[Run]:
        """The runs of a choice."""
        return queryset.filter(host=host) if (host := self.value()) else queryset


class PingInline(ReadOnly, admin.TabularInline):
    """The pings of a run, on its page."""

    model = Ping
    fields = readonly_fields = ("line", "sent", "rtt", "status", "source")
    ordering = ("index",)
    can_delete = False
    extra = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ping]:
        """Each with its run, whose address is in the line."""
        return super().get_queryset(request).select_related("run")

    @admin.display(description=_("line"))
    def line(self, ping: Ping) -> str:
        """The line as it was shown."""
        return format_line(ping.to_reply(), ping.run.address)

    @admin.display(description=_("sent"))
    def sent(self, ping: Ping) -> str:
        """When, to the millisecond."""
        return _moment(ping.sent_at)

    @admin.display(description=_("round trip (ms)"))
    def rtt(self, ping: Ping) -> str:
        """Milliseconds, right-aligned."""
        return _ms(ping.rtt_us)


@admin.action(description=_("Export the selected rows as CSV"))
def export_csv(
    model_admin: "RunAdmin | PingAdmin", request: HttpRequest, queryset: QuerySet[Any]
) -> StreamingHttpResponse:
    """The selected rows, every column; times are UTC, round trips microseconds."""
    return StreamingHttpResponse(
        _stream_csv(model_admin.csv_columns, queryset),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{model_admin.opts.model_name}s.csv"'},
    )


@admin.register(Run)
class RunAdmin(Record):
    """Every run."""

    csv_columns = RUN_COLUMNS
    list_display = (
        "started",
        "host",
        "shape",
        "replies",
        "loss_share",
        "fastest",
        "average",
        "slowest",
        "jitter",
        "page",
    )
    list_display_links = ("started",)
    list_filter = ("outcome", LossFilter, HostFilter, "started_at")
    search_fields = ("host", "address", "client", "=id")
    search_help_text = _("Host, address, client or the id of a run")
    date_hierarchy = "started_at"
    list_per_page = 50
    actions = (export_csv,)
    inlines = (PingInline,)
    fieldsets = (
        (None, {"fields": ("host", "address", "began", "ended", "shape", "page")}),
        (_("result"), {"fields": ("replies", "loss_share", "not_sent", "duplicates", "late", *TIMES)}),
        (_("request"), {"fields": ("count", "interval", "timeout", "family", "engine", "client")}),
    )
    readonly_fields = ("began", "ended", "shape", "page", "replies", "loss_share", *TIMES)

    @admin.display(description=_("started"), ordering="started_at")
    def started(self, run: Run) -> str:
        """When, to the second."""
        return f"{run.started_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description=_("started"))
    def began(self, run: Run) -> str:
        """When, to the millisecond."""
        return _moment(run.started_at)

    @admin.display(description=_("ended"))
    def ended(self, run: Run) -> str:
        """When, to the millisecond."""
        return _moment(run.finished_at)

    @admin.display(description=_("outcome"), ordering="outcome")
    def shape(self, run: Run) -> str:
        """The outcome as a shape and a word."""
        outcome = Outcome(run.ending)
        return f"{SHAPES[outcome]} {outcome.label}"

    @admin.display(description=_("replies"), ordering="received")
    def replies(self, run: Run) -> str:
        """How many of how many, right-aligned."""
        return _number(f"{run.received}/{run.sent}")

    @admin.display(description=_("loss"))
    def loss_share(self, run: Run) -> str:
        """The share lost, right-aligned."""
        return _number("–" if run.loss is None else f"{run.loss * 100:.3g} %")

    @admin.display(description=_("fastest (ms)"), ordering="min_us")
    def fastest(self, run: Run) -> str:
        """Milliseconds."""
        return _ms(run.min_us)

    @admin.display(description=_("average (ms)"), ordering="avg_us")
    def average(self, run: Run) -> str:
        """Milliseconds."""
        return _ms(run.avg_us)

    @admin.display(description=_("slowest (ms)"), ordering="max_us")
    def slowest(self, run: Run) -> str:
        """Milliseconds."""
        return _ms(run.max_us)

    @admin.display(description=_("mdev (ms)"), ordering="mdev_us")
    def mdev(self, run: Run) -> str:
        """Milliseconds."""
        return _ms(run.mdev_us)

    @admin.display(description=_("jitter (ms)"), ordering="jitter_us")
    def jitter(self, run: Run) -> str:
        """Milliseconds."""
        return _ms(run.jitter_us)

    @admin.display(description=_("page"))
    def page(self, run: Run) -> str:
        """The run's own page."""
        return format_html('<a href="{}">{}</a>', reverse("run", args=[run.pk]), _("open"))


@admin.register(Ping)
class PingAdmin(Record):
    """Every ping of every run."""

    csv_columns = PING_COLUMNS
    list_display = ("sent", "host", "number", "shape", "rtt", "ttl", "source", "duplicates")
    list_filter = ("status", "sent_at")
    list_select_related = ("run",)
    search_fields = ("run__host", "run__address", "=run__id", "source")
    search_help_text = _("Host, address, who answered, or the id of a run")
    date_hierarchy = "sent_at"
    ordering = ("-sent_at",)
    actions = (export_csv,)

    @admin.display(description=_("sent"), ordering="sent_at")
    def sent(self, ping: Ping) -> str:
        """When, to the millisecond."""
        return _moment(ping.sent_at)

    @admin.display(description=_("host"), ordering="run__host")
    def host(self, ping: Ping) -> str:
        """The host of its run, leading there."""
        page = reverse("admin:monitor_run_change", args=[ping.run_id])
        return format_html('<a href="{}">{}</a>', page, ping.run.host)

    @admin.display(description=_("number"), ordering="index")
    def number(self, ping: Ping) -> int:
        """Counted from one, as people do."""
        return ping.index + 1

    @admin.display(description=_("status"), ordering="status")
    def shape(self, ping: Ping) -> str:
        """The status as a shape and a word."""
        shapes = {Status.REPLY: "✓", Status.NOT_SENT: "▨"}
        return f"{shapes.get(Status(ping.status), '✕')} {ping.get_status_display()}"

    @admin.display(description=_("round trip (ms)"), ordering="rtt_us")
    def rtt(self, ping: Ping) -> str:
        """Milliseconds, right-aligned."""
        return _ms(ping.rtt_us)


async def _stream_csv(columns: Sequence[str], queryset: QuerySet[Any]) -> AsyncIterator[str]:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    async for row in queryset.aiterator(2000):
        writer.writerow(_cell(getattr(row, name)) for name in columns)
        if text.tell() >= CSV_PIECE:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


def _moment(time: dt.datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}.{time.microsecond // 1000:03}" if time else "–"


def _ms(microseconds: int | None) -> str:
    return _number("–" if microseconds is None else f"{microseconds / 1000:.3f}")


def _number(text: str) -> str:
    return format_html('<span class="number">{}</span>', text)


def _cell(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
