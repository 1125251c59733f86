"""The admin of channels and messages: no secret is shown, and what was told is a record."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from monitor.channel_form import ChannelForm
from monitor.mask import place
from monitor.models import Channel, Delivery


@admin.register(Channel)
class ChannelAdmin(admin.ModelAdmin):
    """Every channel; its address is written and never read."""

    form = ChannelForm
    list_display = ("name", "kind", "leads_to", "language", "zone", "enabled")
    list_filter = ("kind", "enabled")
    search_fields = ("name",)
    filter_horizontal = ("hosts",)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes with channels: their messages too, although nobody deletes those by themselves."""
        found, counts, _permissions, protected = super().get_deleted_objects(objs, request)
        return found, counts, set(), protected

    @admin.display(description=_("address"))
    def leads_to(self, channel: Channel) -> str:
        """Where it leads, as far as that is no secret."""
        return place(channel.kind, channel.address)


@admin.register(Delivery)
class DeliveryAdmin(admin.ModelAdmin):
    """Every message, read-only."""

    list_display = ("created_at", "channel", "incident", "occasion", "number", "fate", "attempts", "outcome")
    list_filter = ("fate", "occasion", "channel")
    list_select_related = ("channel", "incident__host")
    date_hierarchy = "created_at"
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Messages are planned, not typed."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Delivery | None = None) -> bool:
        """A record stays as it is."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Delivery | None = None) -> bool:
        """What was told was told; it goes with its channel."""
        return False
