"""Time and shares of uptime, as a person may check them."""

import datetime as dt
import math
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from monitor.health import State
from monitor.models import Host
from monitor.report import Report
from monitor.uptime import Account, list_days, read_accounts

register = template.Library()

NONE = "–"
UTC = ZoneInfo("UTC")
SECOND_US = 1_000_000
WIDE = 1000
ORDER = (State.DOWN, State.DEGRADED, State.NOT_MEASURED, State.MAINTENANCE, State.PAUSED, State.UP)
RECENT = dt.timedelta(days=14)


@register.filter
def elapsed(us: int | None) -> str:
    """A time in words, to the second: what is shorter than one says so."""
    if us is None:
        return _("goes on")
    if 0 < us < SECOND_US:
        return _("under 1 s")
    minutes, s = divmod(us // SECOND_US, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, _("{n} d")), (hours, _("{n} h")), (minutes, _("{n} min")), (s, _("{n} s"))]
    return " ".join(words.format(n=number) for number, words in parts if number) or _("{n} s").format(n=0)


@register.filter
def exact_share(share: float | None) -> str:
    """A share in per cent with three decimals, cut and not rounded: 100 only where nothing is missing."""
    if share is None:
        return NONE
    return _("{number} %").format(number=f"{math.floor(share * 100_000 + 1e-6) / 1000:.3f}" if share < 1 else 100)


@register.filter
def state_us(account: Account, state: str) -> int:
    """Time in a state (µs)."""
    return account.unmeasured_us if state == State.NOT_MEASURED else account.us.get(State(state), 0)


@register.filter
def time_in(account: Account, state: str) -> str:
    """Time in a state, in words; none where nothing is known that could have been of it."""
    known = account.known_us if state in (State.DOWN, State.DEGRADED) else account.us
    return elapsed(state_us(account, state)) if known else NONE


@register.filter
def interval(account: Account) -> str:
    """Between which shares the true loss lies, with 95 % confidence."""
    found = account.packets.loss_interval
    return _("{number} %").format(number=f"{found[0] * 100:.3g}–{found[1] * 100:.3g}") if found else NONE


@register.filter
def bars(account: Account) -> list[tuple[str, float, float]]:
    """State, left edge and width of each part of a bar."""
    total = max(1, round((account.until - account.since).total_seconds() * SECOND_US))
    found, left = [], 0.0
    for state in ORDER:
        # A second of outage in a day must be seen.
        if width := state_us(account, state) / total * WIDE:
            found.append((state.value, round(left, 2), round(max(width, 6), 2)))
            left += max(width, 6)
    return found


@register.simple_tag
def list_parts() -> list[str]:
    """The states that a bar is made of, from left to right."""
    return [state.value for state in ORDER]


@register.filter
def columns(report: Report) -> list[tuple[str, int, float]]:
    """The least time (ms) of each column, its count, and its length."""
    most = max((count for _least, count in report.bins), default=1) or 1
    return [(f"{least / 1000:g}", count, round(count / most * WIDE, 1)) for least, count in report.bins]


@register.filter
def why_bad(reason: str) -> str:
    """What rule an incident broke."""
    sentences = {
        "lost_in_row": _("no reply"), "down_loss": _("most pings lost"), "loss": _("pings lost"),
        "p95": _("slow replies (95 %)"), "median": _("slow replies (half)"), "jitter": _("jitter"),
    }  # fmt: skip
    return sentences.get(reason, reason)


@register.simple_tag
def local(moment: dt.datetime | None, zone: ZoneInfo | None, pattern: str = "Y-m-d H:i:s") -> str:
    """A moment by the clocks of a zone, UTC without one."""
    return date_format(moment.astimezone(zone or UTC), pattern) if moment else _("goes on")


@register.simple_tag
def recent_days(host: Host) -> list[Account]:
    """How a host was in the last days, by UTC, the newest first."""
    now = timezone.now()
    spans: list[Any] = []
    for moment in {(each.year, each.month): each for each in (now - RECENT, now)}.values():
        spans += list_days(moment.year, moment.month, UTC)
    return read_accounts(host, [span for span in spans if span[1] > now - RECENT], now)[::-1]
