"""The admin of watched hosts: add, change, pause and delete them, and see what the last day was like."""

import datetime as dt
import json
from typing import Any

from asgiref.sync import async_to_sync
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from monitor.health import State
from monitor.hosts import MAX_TAGS, MAX_TEXT
from monitor.lease import WATCHING, is_held
from monitor.live import publish
from monitor.models import Host
from monitor.ping.host import BadHost, parse_host
from monitor.roster import is_circle, pause_hosts
from monitor.series import read_series
from monitor.tables import Table
from monitor.wire import Refusal
from monitor.wire_watch import WATCHER_GROUP
from monitor.words import SENTENCES, refusal_words

SHAPES = {
    State.UP: "✓", State.DEGRADED: "▲", State.DOWN: "✕", State.STARTING: "◌", State.NOT_MEASURED: "▨",
    State.PAUSED: "⏸", State.MAINTENANCE: "⚒",
}  # fmt: skip
DAY = dt.timedelta(days=1)
COLUMNS = ("sent", "received", "not_measured", "min", "median", "p95", "max")


class TagsDecoder(json.JSONDecoder):
    """Reads JSON that can be shown again: nested beyond measure, numbers of thousands of digits and halves of letters
    are none."""

    def decode(self, text: str, *places: Any) -> Any:
        """What a text says. `JSONDecodeError`."""
        try:
            value = super().decode(text, *places)
            json.dumps(value, ensure_ascii=False).encode()
        except (RecursionError, ValueError):
            raise json.JSONDecodeError("not to be read", text, 0) from None
        return value


class ParentField(forms.ModelChoiceField):
    """A host by its id."""

    def to_python(self, value: Any) -> Any:
        """The host; a number that no column holds is none of theirs."""
        try:
            return super().to_python(value)
        except OverflowError:
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice") from None


class ParentSelect(AutocompleteSelect):
    """The choice of a host, which looks for none where what was typed is no id."""

    def format_value(self, value: Any) -> Any:
        """The ids among what is to be shown: of 63 bits."""
        return [text for text in super().format_value(value) if text.isdecimal() and int(text[:19]) < 1 << 63]


class HostForm(forms.ModelForm):
    """A host, checked as everywhere else."""

    tags = forms.JSONField(
        label=_("tags"), required=False, decoder=TagsDecoder, widget=forms.Textarea({"rows": 2, "cols": 40})
    )

    class Meta:
        model = Host
        fields = ("name", "slug", "host", "family", "interval", "timeout", "group", "tags", "paused", "parent")
        field_classes = {"parent": ParentField}

    def clean_parent(self) -> Host | None:
        """Another host, whose own way does not lead through this one."""
        parent: Host | None = self.cleaned_data["parent"]
        if is_circle(self.instance, parent):
            raise ValidationError(SENTENCES["bad_field_parent"])
        return parent

    def clean_host(self) -> str:
        """The host as `parse_host` returns it."""
        text = self.cleaned_data["host"].strip()
        try:
            return parse_host(text)
        except BadHost as bad:
            raise ValidationError(refusal_words(Refusal(bad.code, str(bad), reason=bad.reason, host=text))) from None

    def clean_tags(self) -> list[str]:
        """A list of words."""
        tags = self.cleaned_data["tags"] or []
        words = isinstance(tags, list) and len(tags) <= MAX_TAGS
        if not words or not all(
            isinstance(tag, str) and tag.isprintable() and 0 < len(tag) <= MAX_TEXT for tag in tags
        ):
            raise ValidationError(_("Tags are a list of words, such as [“core”, “wired”]."))
        return tags


@admin.action(description=_("Pause the selected hosts"))
def pause(model_admin: "HostAdmin", request: HttpRequest, queryset: QuerySet[Host]) -> None:
    """Ask them no more for now."""
    pause_hosts(queryset.values_list("pk", flat=True), paused=True)


@admin.action(description=_("Go on with the selected hosts"))
def go_on(model_admin: "HostAdmin", request: HttpRequest, queryset: QuerySet[Host]) -> None:
    """Ask them again."""
    pause_hosts(queryset.values_list("pk", flat=True), paused=False)


@admin.action(description=_("Build the hours of the selected hosts again from their packets"))
def rebuild(model_admin: "HostAdmin", request: HttpRequest, queryset: QuerySet[Host]) -> None:
    """Ask the watcher for it; the header of the board shows how far it is."""
    if not is_held(WATCHING):
        messages.error(request, _("Nobody watches, so nobody can build them again; start the watcher first."))
        return
    hosts = list(queryset.values_list("pk", flat=True))
    async_to_sync(publish)(WATCHER_GROUP, {"type": "rebuild", "hosts": hosts})
    messages.info(request, _("The watcher was asked; the board says how far it is."))


@admin.register(Host)
class HostAdmin(Table):
    """Every watched host."""

    form = HostForm
    list_display = ("name", "shape", "host", "address", "group", "interval", "paused", "page")
    list_filter = ("state", "group", "paused", "family")
    search_fields = ("name", "host", "address", "group")
    list_per_page = 100
    prepopulated_fields = {"slug": ("name",)}
    autocomplete_fields = ("parent",)
    readonly_fields = ("shape", "state_since", "address", "problem", "page", "history")
    actions = (pause, go_on, rebuild)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "slug"),
                    ("host", "family"),
                    ("interval", "timeout"),
                    ("group", "tags"),
                    ("parent", "paused"),
                )
            },
        ),
        (_("State"), {"fields": (("shape", "state_since"), ("address", "problem"), "page")}),
        (_("The last day"), {"fields": ("history",), "classes": ("collapse",)}),
    )

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """The field of the parent, the only one."""
        widget = ParentSelect(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **options | {"widget": widget})

    def save_model(self, request: HttpRequest, obj: Host, form: Any, change: bool) -> None:
        """Save it; one with another name to resolve begins anew."""
        if {"host", "family"} & set(form.changed_data):
            obj.address, obj.problem = None, ""
        super().save_model(request, obj, form, change)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes with hosts: what was recorded of them too, although nobody deletes that by itself."""
        found, counts, _permissions, protected = super().get_deleted_objects(objs, request)
        return found, counts, set(), protected

    @admin.display(description=_("state"), ordering="state")
    def shape(self, host: Host) -> str:
        """The state as a shape and a word."""
        mark = '<span class="mark" data-tone="{}">{}</span> {}'
        return format_html(mark, host.state, SHAPES[State(host.state)], host.get_state_display())

    @admin.display(description=_("page"))
    def page(self, host: Host) -> str:
        """The host's own page."""
        return format_html('<a href="{}">{}</a>', reverse("host", args=[host.slug]), _("open")) if host.pk else "–"

    @admin.display(description="")
    def history(self, host: Host) -> SafeString | str:
        """What was kept of the last day, a row for each hour; round trips in µs."""
        if not host.pk:
            return "–"
        now = timezone.now()
        columns = read_series(host, now - DAY, now, 25).columns
        rows = [
            (f"{dt.datetime.fromtimestamp(at / 1000, dt.UTC):%Y-%m-%d %H:%M}", *figures)
            for at, *figures in zip(columns["t"], *(columns[name] for name in COLUMNS), strict=True)
            if figures[0] is not None
        ]
        head = format_html_join("", "<th>{}</th>", [(name,) for name in ("UTC", *COLUMNS)])
        body = format_html_join("", "<tr>{}</tr>", [(_cells(row),) for row in rows])
        return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", head, body) if rows else "–"


def _cells(row: tuple[Any, ...]) -> SafeString:
    return format_html_join("", '<td class="number">{}</td>', [("–" if cell is None else cell,) for cell in row])
