"""Incidents as sentences, with times that the page's scripts put into the reader's zone and counters that go on."""

import datetime as dt

from django import template
from django.db import DatabaseError, InterfaceError
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from monitor.chronicle import Packet, count_open
from monitor.incident_words import SENTENCES, incident_words, say_cause, say_exactly, say_what
from monitor.models import Incident, Note
from monitor.packing import NOT_MEASURED, Code
from monitor.templatetags.watching import ms, say, why
from monitor.visitors import may_look

register = template.Library()
register.simple_tag(incident_words)
register.filter("cause", say_cause)

NONE = "–"
NAMES = {code.value: code.name.lower() for code in Code}


@register.simple_tag(takes_context=True)
def open_incidents(context: template.Context) -> int:
    """How many incidents go on, for whoever may know."""
    user = context.get("user")
    try:
        return count_open() if user is not None and may_look(user) else 0
    except (DatabaseError, InterfaceError):
        # The page may need no database: then it is shown all the same.
        return 0


@register.filter
def sentence(incident: Incident) -> SafeString:
    """What was bad and for how long, without the name; the length of an open one goes on."""
    what = "what_network" if incident.host_id is None else ""
    words = str(SENTENCES[what]) if what else say_what(incident.state, incident.reason)
    before, _, after = words.partition("{span}")
    number = getattr(incident, "number", 0)
    return format_html(
        "{}{}{}", before.replace("{n}", str(number)), lasted(incident), after.replace("{n}", str(number))
    )


@register.filter
def lasted(incident: Incident) -> SafeString:
    """How long it took, or takes."""
    if incident.ended_at:
        return format_html('<span class="span">{}</span>', say_exactly(incident.ended_at - incident.began_at))
    began = round(incident.began_at.timestamp() * 1000)
    said = say_exactly(timezone.now() - incident.began_at)
    return format_html('<span class="span" data-since="{}">{}</span>', began, said)


@register.filter
def moment(at: dt.datetime | None) -> SafeString | str:
    """A time to the second, by UTC until a script puts it into the reader's zone."""
    if at is None:
        return NONE
    at = at.astimezone(dt.UTC)
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), f"{at:%Y-%m-%d %H:%M:%S} UTC")


@register.filter
def ending(incident: Incident) -> str:
    """How it ended."""
    return str(SENTENCES.get(f"ending_{incident.ending}", SENTENCES["ending_"]))


@register.filter
def delay(incident: Incident) -> str:
    """How long it took to be certain of it."""
    return say_exactly(incident.noticed_at - incident.began_at)


@register.filter
def result(packet: Packet) -> str:
    """What came of a packet: its round trip, or why there is none."""
    if packet.value >= 0:
        return f"{ms(packet.value)} ms"
    if packet.value <= NOT_MEASURED:
        return say(f"reason_{packet.value}")
    return why(NAMES.get(packet.value, "timeout"))


@register.filter
def due(packet: Packet) -> SafeString:
    """When it was due, to the tenth of a second."""
    at = packet.due_at
    tenths = at.microsecond // 100_000
    shown = f"{at:%H:%M:%S}.{tenths}"
    return format_html('<time datetime="{}" data-fine>{}</time>', at.isoformat(), shown)


@register.simple_tag
def author(note: Note, *, stranger: bool) -> str:
    """Who wrote a note. A stranger learns a name, and never what somebody signs in with."""
    if note.author is None:
        return NONE
    return note.author.get_full_name() or ("" if stranger else note.author.get_username())
