"""Figures, marks and strips of the watched hosts, as the page's scripts would draw them."""

import datetime as dt
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from django import template
from django.utils import timezone

from monitor.board_page import Row
from monitor.health import State
from monitor.models import Host
from monitor.watch_words import SENTENCES, watch_words
from monitor.window import Bar
from monitor.words import SENTENCES as COMMON

register = template.Library()
register.simple_tag(watch_words)

NONE = "–"
MUCH = 0.1
MARKS = {
    State.UP: "✓", State.DEGRADED: "▲", State.DOWN: "✕", State.STARTING: "◌", State.NOT_MEASURED: "▨",
    State.MAINTENANCE: "⚒", State.PAUSED: "⏸",
}  # fmt: skip
TALL, BAR = 24, 4
ROUTES = Path("/proc/net/route")


@dataclass(frozen=True, slots=True)
class Strip:
    """The outlines of sixty bars by what was lost: none of it, some, much, all; and the minutes not measured."""

    none: str
    some: str
    much: str
    all: str
    unmeasured: str


@register.filter
def tone(row: Row) -> str:
    """The state of a row as it is shown."""
    return row.state.value


@register.filter
def mark(state: str) -> str:
    """The shape of a state."""
    return MARKS[State(state)]


@register.filter
def word(state: str) -> str:
    """The word of a state."""
    return say(f"state_{state}")


@register.filter
def say(key: str) -> str:
    """A sentence without holes."""
    return str((SENTENCES | COMMON).get(key, key))


@register.filter
def why(code: str) -> str:
    """What a code says of a ping without a reply, or of a host that cannot be asked."""
    found = (key for key in (f"status_{code}", f"problem_{code}") if key in COMMON or key in SENTENCES)
    return say(next(found, code))


@register.filter
def until(end: int, key: str) -> str:
    """The sentence that says when something ends (ms since 1970), by UTC: the page's scripts know the reader's zone."""
    ends, now = dt.datetime.fromtimestamp(end / 1000, dt.UTC), timezone.now()
    return say(key).format(until=f"{ends:%H:%M} UTC" if ends.date() == now.date() else f"{ends:%Y-%m-%d %H:%M} UTC")


@register.filter
def count_troubled(rows: Iterable[Row]) -> int:
    """How many need attention."""
    return sum(row.state in (State.DOWN, State.NOT_MEASURED, State.DEGRADED) for row in rows)


@register.filter
def count_up(rows: Iterable[Row]) -> int:
    """How many answer."""
    return sum(row.state is State.UP for row in rows)


@register.filter
def ms(microseconds: float | None) -> str:
    """A round trip in milliseconds, with three significant figures; never finer than the microsecond measured."""
    if microseconds is None:
        return NONE
    value = float(f"{microseconds / 1000:.3g}")
    return f"{value:.{3 if value < 1 else 2 if value < 10 else 1 if value < 100 else 0}f}"


@register.filter
def percent(fraction: float | None) -> str:
    """A fraction in per cent; 0 and 100 only where they are exact."""
    if fraction is None:
        return NONE
    value = fraction * 100
    if 0 < value < 100:
        value = min(99.9, max(0.1, value))
        return f"{value:.1f}".removesuffix(".0") if value < 10 or value > 99 else f"{value:.0f}"
    return f"{value:.0f}"


@register.filter
def share(fraction: float | None) -> str:
    """The same with its sign, as the language writes it."""
    return NONE if fraction is None else say("percent").format(number=percent(fraction))


@register.filter
def is_number(last: object) -> bool:
    """Whether the last of a host is a round trip, and no code."""
    return isinstance(last, int)


@register.filter
def span_since(host: Host) -> str:
    """How long a host is as it is."""
    if host.state_since is None:
        return NONE
    seconds = max(0, int((timezone.now() - host.state_since).total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if not minutes:
        return say("span_s").format(s=seconds)
    if not hours:
        return say("span_min").format(min=minutes)
    if not days:
        return say("span_h_min" if minutes % 60 else "span_h").format(h=hours, min=minutes % 60)
    return say("span_d_h" if hours % 24 else "span_d").format(d=days, h=hours % 24)


@register.filter
def strip(bars: list[Bar]) -> Strip:
    """The strip of an hour: height is latency, colour is loss. The highest bar is at least twice the median."""
    times = sorted(bar[0] for bar in bars if bar and bar[0] is not None)
    middle = times[len(times) // 2] if times else 1
    top = min(max([*times, 2 * middle]), 4 * middle) or 1
    outlines: dict[str, list[str]] = {"none": [], "some": [], "much": [], "all": [], "unmeasured": []}
    for place, bar in enumerate(bars):
        if bar is None:
            continue
        kind, height = _judge(bar, top)
        outlines[kind].append(f"M{place * BAR} {TALL}v-{height}h{BAR - 1}v{height}z")
    return Strip(**{kind: "".join(parts) for kind, parts in outlines.items()})


def _judge(bar: tuple[int | None, float | None], top: int) -> tuple[str, int]:
    median, loss = bar
    if loss is None:
        return "unmeasured", TALL
    if median is None:
        return "all", TALL
    height = max(2, min(TALL, round(median / top * TALL)))
    return "none" if not loss else "some" if loss < MUCH else "much", height


@register.simple_tag
def board_sentence(rows: list[Row], number: int) -> str:
    """The first line of the board."""
    troubled = count_troubled(rows)
    if troubled:
        key = "some_need_one" if troubled == 1 else "some_need"
        return say(key).format(n=troubled, number=number)
    if answering := count_up(rows):
        key = "all_answer" if answering == number else "rest_idle"
        return say(f"{key}_one" if answering == 1 else key).format(n=answering, all=number)
    return say("all_paused" if all(row.state is State.PAUSED for row in rows) else "none_judged")


@register.simple_tag
def list_tags(rows: list[Row]) -> list[str]:
    """The tags that hosts have, by name."""
    return sorted({name for row in rows for name in row.host.tags})


@register.simple_tag
def list_offers() -> list[tuple[str, str]]:
    """Hosts to begin with, and what they are."""
    near = find_gateway()
    known = [("8.8.8.8", "Google"), ("1.1.1.1", "Cloudflare")]
    return [(near, say("gateway")), *known] if near else known


def find_gateway() -> str | None:
    """The address that leads out of this machine's network, where the kernel knows one (IPv4)."""
    try:
        routes = [line.split() for line in ROUTES.read_text().splitlines()[1:]]
    except OSError:
        return None
    found = next((route[2] for route in routes if route[1] == route[7] == "00000000"), None)
    # The kernel writes it in the order of its own bytes.
    return str(IPv4Address(int(found, 16).to_bytes(4, sys.byteorder))) if found else None
