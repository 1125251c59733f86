"""A planned message → its words, in the channel's language and zone; the first line is the reason."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from monitor.health import State
from monitor.models import Delivery, Ending, Host, Incident, Occasion
from monitor.quiet import find_place

# What is told later than this says so.
LATE = dt.timedelta(seconds=60)
UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True, slots=True)
class Letter:
    """What is said: a title, which is the reason, a text, and the same as the JSON of a webhook."""

    title: str
    body: str
    payload: dict[str, Any]


def compose(delivery: Delivery, now: dt.datetime) -> Letter:
    """The words of a message as things are `now`. It asks the database for what belongs to the incident."""
    channel, incident = delivery.channel, delivery.incident
    with translation.override(channel.language), timezone.override(find_place(channel.zone)):
        if incident is None:
            title, lines = "◌ " + _("This is a test of pingsite."), [_("Messages of this channel arrive here.")]
        else:
            title, lines = TITLES[Occasion(delivery.occasion)](incident, now), _facts(incident, now)
        # One line, whatever a host is called: it becomes the subject of an e-mail.
        title = " ".join(title.split())
        body = "\n".join([*lines, *_excuses(delivery, now)])
    return Letter(title, body, _payload(delivery, title, body, now))


def key_of(delivery: Delivery) -> str:
    """What tells a message from every other, and is the same however often it is tried."""
    of = delivery.incident.identity if delivery.incident else f"test-{delivery.pk}"
    return f"{of}-{delivery.channel_id}-{delivery.occasion}-{delivery.number}"


def span_words(seconds: float) -> str:
    """A duration in its two largest units."""
    left = max(0, round(seconds))
    words: list[str] = []
    for size, unit in UNITS:
        if (number := left // size) or (unit == "s" and not words):
            words.append(_unit(unit) % {"n": number})
            left -= number * size
        elif words:
            break
    return " ".join(words[:2])


def reason_words(incident: Incident) -> str:
    """What rule was broken, and by how much."""
    value, limit = incident.measure.get("value"), incident.measure.get("limit")
    match incident.reason:
        case "lost_in_row" if value is not None:
            said = ngettext("%(n)d ping in a row had no reply", "%(n)d pings in a row had no reply", int(value))
            return said % {"n": int(value)}
        case "loss" | "down_loss" if value is not None:
            return _("at least %(share)s %% of pings had no reply") % {"share": f"{value * 100:.3g}"}
        case "p95" if limit is not None:
            return _("one ping in twenty took longer than %(ms)s ms") % {"ms": _ms(limit)}
        case "median" if limit is not None:
            return _("every second ping took longer than %(ms)s ms") % {"ms": _ms(limit)}
        case "jitter" if limit is not None:
            return _("round trips differ by more than %(ms)s ms") % {"ms": _ms(limit)}
    return _("pings were lost or late")


def _tell_bad(incident: Incident, now: dt.datetime) -> str:
    words = {"who": _who(incident), "since": _clock(incident.began_at, now), "why": _why(incident)}
    if incident.ended_at:
        words["until"] = _clock(incident.ended_at, now)
    return f"{_shape(incident)} {_bad_words(incident) % words}"


def _bad_words(incident: Incident) -> str:
    down, over = incident.state == State.DOWN, incident.ended_at is not None
    if incident.host is None:
        return _("%(who)s were down from %(since)s to %(until)s: %(why)s") if over else _(
            "%(who)s are down since %(since)s: %(why)s"
        )  # fmt: skip
    if over:
        return (
            _("%(who)s was down from %(since)s to %(until)s: %(why)s")
            if down
            else _("%(who)s was degraded from %(since)s to %(until)s: %(why)s")
        )
    return _("%(who)s is down since %(since)s: %(why)s") if down else _("%(who)s is degraded since %(since)s: %(why)s")


def _tell_still(incident: Incident, now: dt.datetime) -> str:
    words = {
        "who": _who(incident),
        "since": _clock(incident.began_at, now),
        "why": _why(incident),
        "span": span_words((now - incident.began_at).total_seconds()),
    }
    if incident.host is None:
        said = _("%(who)s are still down after %(span)s, since %(since)s: %(why)s")
    elif incident.state == State.DOWN:
        said = _("%(who)s is still down after %(span)s, since %(since)s: %(why)s")
    else:
        said = _("%(who)s is still degraded after %(span)s, since %(since)s: %(why)s")
    return f"{_shape(incident)} {said % words}"


def _tell_flapping(incident: Incident, now: dt.datetime) -> str:
    words = {"who": _who(incident), "since": _clock(incident.began_at, now)}
    return (
        "▲ " + _("%(who)s is flapping: bad again and again, now since %(since)s. It is told when it is calm.") % words
    )


def _tell_recovered(incident: Incident, now: dt.datetime) -> str:
    ended = incident.ended_at or now
    words = {
        "who": _who(incident),
        "at": _clock(ended, now),
        "span": span_words((ended - incident.began_at).total_seconds()),
    }
    if incident.flapping:
        return "✓ " + _("%(who)s is calm again: no trouble since %(at)s") % words
    if incident.ending == Ending.PAUSED:
        return "⏸ " + _("%(who)s was paused at %(at)s, after %(span)s of trouble") % words
    if incident.ending == Ending.MAINTENANCE:
        return "⚒ " + _("maintenance of %(who)s began at %(at)s, after %(span)s of trouble") % words
    if incident.host is None:
        return "✓ " + _("this server's own network is up again since %(at)s, after %(span)s") % words
    if incident.state == State.DOWN:
        return "✓ " + _("%(who)s is up again since %(at)s, after %(span)s") % words
    return "✓ " + _("%(who)s is well again since %(at)s, after %(span)s degraded") % words


TITLES: dict[Occasion, Callable[[Incident, dt.datetime], str]] = {
    Occasion.DOWN: _tell_bad,
    Occasion.DEGRADED: _tell_bad,
    Occasion.STILL: _tell_still,
    Occasion.FLAPPING: _tell_flapping,
    Occasion.RECOVERED: _tell_recovered,
}


def _facts(incident: Incident, now: dt.datetime) -> list[str]:
    host, lines = incident.host, []
    if host:
        address = host.address if host.address and host.address != host.host else ""
        lines.append(" · ".join(filter(None, (host.name, host.host, address, host.group))))
    lines.append(_("Began %(at)s") % {"at": _moment(incident.began_at)})
    if incident.ended_at:
        span = span_words((incident.ended_at - incident.began_at).total_seconds())
        lines.append(_("Ended %(at)s, after %(span)s") % {"at": _moment(incident.ended_at), "span": span})
    if link := _link(incident):
        lines.append(link)
    return lines


def _excuses(delivery: Delivery, now: dt.datetime) -> list[str]:
    """What is to be said of the message itself: that it is late, and why; that it may be the second of its kind."""
    lines = []
    if now - delivery.created_at > LATE:
        words = {"span": span_words((now - delivery.created_at).total_seconds())}
        if delivery.held:
            lines.append(_("This message waited for the end of the quiet hours, %(span)s.") % words)
        elif delivery.attempts > 1:
            lines.append(_("This message is %(span)s late: it could not be delivered before.") % words)
        else:
            lines.append(_("This message is %(span)s late.") % words)
    if delivery.doubtful:
        lines.append(_("It may have been sent before."))
    return lines


def _payload(delivery: Delivery, title: str, body: str, now: dt.datetime) -> dict[str, Any]:
    incident = delivery.incident
    shape: dict[str, Any] = {
        "id": key_of(delivery),
        "event": delivery.occasion,
        "number": delivery.number,
        "planned_at": delivery.created_at.isoformat(),
        "sent_at": now.isoformat(),
        "may_be_repeated": delivery.doubtful,
        "title": title,
        "text": body,
        "incident": None,
    }
    return shape | {"incident": _incident_shape(incident)} if incident else shape


def _incident_shape(incident: Incident) -> dict[str, Any]:
    host = incident.host
    return {
        "id": str(incident.identity),
        "state": incident.state,
        "reason": incident.reason,
        "measure": incident.measure,
        "began_at": incident.began_at.isoformat(),
        "ended_at": incident.ended_at.isoformat() if incident.ended_at else None,
        "ending": incident.ending,
        "flapping": incident.flapping,
        "link": _link(incident),
        "host": {"name": host.name, "slug": host.slug, "host": host.host, "address": host.address, "group": host.group}
        if host
        else None,
    }


def _who(incident: Incident) -> str:
    if incident.host:
        return incident.host.name
    number, total = incident.parts.count(), Host.objects.filter(paused=False).count()
    return _("%(number)d of %(total)d hosts") % {"number": number, "total": max(total, number)}


def _why(incident: Incident) -> str:
    return reason_words(incident) if incident.host else _("this server's own network")


def _shape(incident: Incident) -> str:
    return "✕" if incident.state == State.DOWN else "▲"


def _link(incident: Incident) -> str:
    """The address of the incident's page; "" where the site does not know its own."""
    if not settings.PINGSITE_ORIGINS:
        return ""
    try:
        return settings.PINGSITE_ORIGINS[0] + reverse("incident", args=[incident.identity])
    except NoReverseMatch:
        return ""


def _clock(at: dt.datetime, now: dt.datetime) -> str:
    """The time of day, in the channel's zone; with the date where that is not today's."""
    local = timezone.localtime(at)
    return f"{local:%H:%M:%S}" if local.date() == timezone.localtime(now).date() else f"{local:%Y-%m-%d %H:%M:%S}"


def _moment(at: dt.datetime) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S} {timezone.get_current_timezone_name()}"


def _unit(unit: str) -> str:
    return {"d": _("%(n)d d"), "h": _("%(n)d h"), "min": _("%(n)d min"), "s": _("%(n)d s")}[unit]


def _ms(us: float) -> str:
    return f"{us / 1000:.3g}"
