"""Messages and channels as the pages show them."""

from django import template
from django.utils.translation import gettext as _

from monitor.alerts import count_failing
from monitor.mask import place as find_place
from monitor.models import Channel, Delivery, Fate

register = template.Library()
register.simple_tag(count_failing, name="failing_channels")

SHAPES = {Fate.SENT: "✓", Fate.FAILED: "✕", Fate.WAITING: "◌", Fate.SENDING: "◌", Fate.WITHHELD: "▨"}


@register.filter
def place(channel: Channel) -> str:
    """Where a channel leads, without what is secret of it."""
    return find_place(channel.kind, channel.address)


@register.filter
def meant_for(channel: Channel) -> str:
    """Of which hosts it tells."""
    named = [*[host.name for host in channel.hosts.all()], *channel.groups, *channel.tags]
    return ", ".join(named) if named else _("All hosts")


@register.filter
def fate_words(message: Delivery) -> str:
    """What became of a message, as a shape and a word."""
    if message.fate == Fate.WAITING and message.attempts:
        return "✕ " + _("failed, and is tried again")
    if message.fate == Fate.WAITING and message.held:
        return SHAPES[Fate.WAITING] + " " + _("waits for quiet hours to end")
    return f"{SHAPES[Fate(message.fate)]} {message.get_fate_display()}"


@register.filter
def outcome(message: Delivery) -> str:
    """What the service answered, or why it was withheld."""
    return _(message.outcome) if message.outcome else ""
