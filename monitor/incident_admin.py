"""The admin of incidents and of how states followed one another: to read."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from monitor.models import Incident, Note, Transition
from monitor.tables import ReadOnly, Record

SHAPES = {"down": "✕", "degraded": "▲"}


class NoteInline(ReadOnly, admin.TabularInline):
    """What people wrote to an incident."""

    model = Note
    fields = readonly_fields = ("at", "author", "text")
    extra = 0

    def get_queryset(self, request: HttpRequest) -> Any:
        """Each with who wrote it."""
        return super().get_queryset(request).select_related("author")


@admin.register(Incident)
class IncidentAdmin(Record):
    """Every incident."""

    list_display = ("began", "subject", "shape", "ended", "reason", "flapping", "page")
    list_filter = ("state", "ending", "reason", "flapping", "began_at")
    list_select_related = ("host",)
    search_fields = ("host__name", "host__host", "host__group", "=identity")
    date_hierarchy = "began_at"
    list_per_page = 50
    inlines = (NoteInline,)
    fields = readonly_fields = (
        "subject", "shape", "began", "noticed", "ended", "ending", "reason", "measure", "behind", "part_of", "flapping",
        "shared_at", "page",
    )  # fmt: skip

    @admin.display(description=_("host"), ordering="host__name")
    def subject(self, incident: Incident) -> str:
        """The host, or the network."""
        return incident.host.name if incident.host else str(_("network"))

    @admin.display(description=_("state"), ordering="state")
    def shape(self, incident: Incident) -> str:
        """The worst state as a shape and a word."""
        return f"{SHAPES[incident.state]} {incident.get_state_display()}"

    @admin.display(description=_("began"), ordering="began_at")
    def began(self, incident: Incident) -> str:
        """When, to the second."""
        return f"{incident.began_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description=_("noticed"), ordering="noticed_at")
    def noticed(self, incident: Incident) -> str:
        """When, to the second."""
        return f"{incident.noticed_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description=_("ended"), ordering="ended_at")
    def ended(self, incident: Incident) -> str:
        """When, to the second."""
        return f"{incident.ended_at:%Y-%m-%d %H:%M:%S}" if incident.ended_at else "–"

    @admin.display(description=_("page"))
    def page(self, incident: Incident) -> str:
        """Its own page."""
        return format_html('<a href="{}">{}</a>', reverse("incident", args=[incident.identity]), _("open"))


@admin.register(Transition)
class TransitionAdmin(Record):
    """Every change of a state."""

    list_display = ("moment", "host", "state")
    list_filter = ("state", "at")
    list_select_related = ("host",)
    search_fields = ("host__name",)
    date_hierarchy = "at"
    ordering = ("-at",)

    @admin.display(description=_("time"), ordering="at")
    def moment(self, transition: Transition) -> str:
        """When, to the millisecond."""
        at = transition.at
        return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03}"
