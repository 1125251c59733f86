"""The sentences of incidents: what was bad, why, for how long; for pages, and for scripts that go on with them."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from monitor.health import State
from monitor.models import Incident
from monitor.watch_words import watch_words
from monitor.words import SENTENCES as COMMON

EXACT = {
    "exact_s": _("{s} s"),
    "exact_min": _("{min} min {s} s"),
    "exact_h": _("{h} h {min} min"),
    "exact_d": _("{d} d {h} h"),
}

# What was bad, for so long; what a rule measured stands in its cause.
WHAT = {
    "what_down": _("no reply for {span}"),
    "what_down_loss": _("down by loss for {span}"),
    "what_degraded": _("degraded for {span}"),
    "what_loss": _("loses pings for {span}"),
    "what_p95": _("slow now and then for {span}"),
    "what_median": _("slow for {span}"),
    "what_jitter": _("uneven for {span}"),
    "what_network": _("This server’s own network: {n} hosts bad for {span}"),
}

CAUSES = {
    # Shares are of the whole window of the rule, of which less may have gone by.
    "cause_lost_in_row": _("{value} pings in a row had no reply ({limit} are enough)."),
    "cause_down_loss": _("At least {value} of the pings had no reply (from {limit} on a host is down)."),
    "cause_loss": _("At least {value} of the pings had no reply (from {limit} on a host is degraded)."),
    "cause_p95": _("The slowest twentieth of the pings took {value} or more (the limit is {limit})."),
    "cause_median": _("Half of the pings took {value} or more (the limit is {limit})."),
    "cause_jitter": _("From ping to ping the round trip changed by {value} on average (the limit is {limit})."),
    "cause_network": _("At least half of all hosts went bad in the same moment: that is this server’s own network."),
}
SIMPLE_CAUSES = {
    "cause_lost_in_row": _("Several pings in a row had no reply."),
    "cause_down_loss": _("Most of the pings had no reply."),
    "cause_loss": _("Too many of the pings had no reply."),
    "cause_p95": _("The slowest twentieth of the pings took too long."),
    "cause_median": _("Half of the pings took too long."),
    "cause_jitter": _("The round trip changed too much from ping to ping."),
}

ENDINGS = {
    "ending_": _("ended"),
    "ending_recovered": _("recovered"),
    "ending_paused": _("ended, for the host was paused"),
    "ending_maintenance": _("ended, for maintenance began"),
}

BELL = {
    "bell_ask": _("Tell me in this browser"),
    "bell_on": _("This browser tells you"),
    "bell_denied": _("This browser forbids it. Allow notifications in its settings for this site."),
    "bell_impossible": _("This browser can tell only over https."),
    "bell_down": _("{name} is down"),
    "bell_degraded": _("{name} is degraded"),
    "bell_not_measured": _("{name} is not measured"),
    "bell_up": _("{name} is up again"),
    "bell_many_down": _("{n} hosts are down"),
    "bell_many_degraded": _("{n} hosts are degraded"),
    "bell_many_not_measured": _("{n} hosts are not measured"),
    "bell_many_up": _("{n} hosts are up again"),
}

SCRIPTS = EXACT | BELL | {
    "incident_down": _("incident: down"),
    "incident_degraded": _("incident: degraded"),
    "still": _("Nothing new has come from the server since {time}."),
    "trying": _("Thirty days are being judged…"),
}  # fmt: skip
SENTENCES = WHAT | CAUSES | ENDINGS | SCRIPTS

SHARES = ("down_loss", "loss")
TIMES = ("p95", "median", "jitter")


def incident_words() -> dict[str, str]:
    """Every sentence that the scripts say, in the language of the request."""
    return watch_words() | {key: str(sentence) for key, sentence in SCRIPTS.items()}


def say_what(state: str, reason: str) -> str:
    """What was bad, with a hole for how long."""
    if state == State.DOWN and reason != "down_loss":
        return str(SENTENCES["what_down"])
    return str(SENTENCES.get(f"what_{reason}", SENTENCES["what_degraded"]))


def say_cause(incident: Incident) -> str:
    """Which rule was broken, with what was measured and the limit; "" for a rule that nobody knows any more."""
    if incident.host_id is None:
        return str(CAUSES["cause_network"])
    key, measure = f"cause_{incident.reason}", incident.measure if isinstance(incident.measure, Mapping) else {}
    value, limit = (say_measure(incident.reason, measure.get(name)) for name in ("value", "limit"))
    if value and limit and key in CAUSES:
        return str(CAUSES[key]).format(value=value, limit=limit)
    return str(SIMPLE_CAUSES.get(key, ""))


def say_measure(reason: str, value: Any) -> str:
    """A value of a rule in its own unit; "" where there is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if reason in SHARES:
        return str(COMMON["percent"]).format(number=f"{value * 100:.3g}")
    return f"{value / 1000:.3g} ms" if reason in TIMES else f"{value:.0f}"


def say_exactly(length: dt.timedelta) -> str:
    """A length of time, to the second below an hour."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 60:
        return str(EXACT["exact_s"]).format(s=seconds)
    if seconds < 3600:
        return str(EXACT["exact_min"]).format(min=seconds // 60, s=seconds % 60)
    if seconds < 86_400:
        return str(EXACT["exact_h"]).format(h=seconds // 3600, min=seconds % 3600 // 60)
    return str(EXACT["exact_d"]).format(d=seconds // 86_400, h=seconds % 86_400 // 3600)
