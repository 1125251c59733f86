"""The admin of channels and messages: no secret is shown, and what was told is a record."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from monitor.channel_form import ChannelForm
from monitor.mask import place
from monitor.models import Channel, Delivery
from monitor.tables import Record, Table


@admin.register(Channel)
class ChannelAdmin(Table):
    """Every channel; its address is written and never read."""

    form = ChannelForm
    list_display = ("name", "kind", "leads_to", "language", "zone", "enabled")
    list_filter = ("kind", "enabled")
    search_fields = ("name",)
    filter_horizontal = ("hosts",)

    def save_model(self, request: HttpRequest, obj: Channel, form: Any, change: bool) -> None:
        """Save it; the secret that a webhook may have got is known to this request alone."""
        super().save_model(request, obj, form, change)
        obj.new_secret = form.new_secret  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: Channel, post_url_continue: str | None = None) -> HttpResponse:
        """What follows: a new secret, shown this once."""
        return show_secret(request, obj) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Channel) -> HttpResponse:
        """The same."""
        return show_secret(request, obj) or super().response_change(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes with channels: their messages too, although nobody deletes those by themselves."""
        found, counts, _permissions, protected = super().get_deleted_objects(objs, request)
        return found, counts, set(), protected

    @admin.display(description=_("address"))
    def leads_to(self, channel: Channel) -> str:
        """Where it leads, as far as that is no secret."""
        return place(channel.kind, channel.address)


def show_secret(request: HttpRequest, channel: Channel) -> HttpResponse | None:
    """The page of a webhook's new secret, as where channels are made otherwise; None where there is no new one."""
    secret = getattr(channel, "new_secret", "")
    return render(request, "alerts/secret.html", {"channel": channel, "secret": secret}) if secret else None


@admin.register(Delivery)
class DeliveryAdmin(Record):
    """Every message, read-only."""

    list_display = ("created_at", "channel", "incident", "occasion", "number", "fate", "attempts", "outcome")
    list_filter = ("fate", "occasion", "channel")
    list_select_related = ("channel", "incident__host")
    date_hierarchy = "created_at"
