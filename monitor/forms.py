"""What people may type: a frame of a socket or a posted form → a command, or a refusal with its reason."""

import json
import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard

from django.conf import settings

from monitor.ping.host import FAMILIES, BadHost, parse_host
from monitor.wire import Refusal

MAX_FRAME = 16 * 1024
MAX_COUNT = 100
MIN_INTERVAL = 0.2
MAX_INTERVAL = 10.0
MIN_TIMEOUT = 0.1
MAX_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Order:
    """A run that somebody asks for: host as `parse_host` returns it, seconds."""

    host: str
    count: int
    interval: float
    timeout: float
    family: str


@dataclass(frozen=True, slots=True)
class Stop:
    """End the run of this socket."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Follow a run, beginning with the first result after the index `after`."""

    run: uuid.UUID
    after: int


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Tell what changes on the board: of all hosts (None) or of these; every echo of one host (`lines`), asked
    `faster` while this lasts; and that incidents changed."""

    hosts: frozenset[int] | None
    lines: int | None
    faster: bool
    incidents: bool


Command = Order | Stop | Resume


def parse_frame(text: str | None) -> Command | Refusal:
    """What a text frame of the socket asks for (None: a binary one). It never raises: threats end here."""
    try:
        return _parse_message(_load(text))
    except Refusal as refusal:
        return refusal


def parse_subscription(text: str | None) -> Subscribe | Refusal:
    """What a text frame of a board's socket asks for (None: a binary one). It never raises."""
    try:
        message = _load(text)
        if message.get("event") != "subscribe":
            raise Refusal("unknown_event", "That event is not known here.")
        lines = message.get("lines")
        if lines is not None and not _is_id(lines):
            raise _bad_value("lines", "the id of a host, or null")
        hosts = _hosts(message.get("hosts", "all"))
        return Subscribe(hosts, lines, _flag(message, "faster"), _flag(message, "incidents"))
    except Refusal as refusal:
        return refusal


def parse_form(fields: Mapping[str, str]) -> Order | Refusal:
    """What a posted form asks for; its fields are all text, and an empty one means the default."""
    numbers = {"count": int, "interval": float, "timeout": float}
    wish: dict[str, object] = {name: fields[name] for name in ("host", "family") if fields.get(name)}
    try:
        for name, kind in numbers.items():
            if text := fields.get(name, "").strip():
                wish[name] = _convert(name, kind, text)
        return _parse_order({"host": fields.get("host", "").strip(), **wish})
    except Refusal as refusal:
        return refusal


def default_order() -> Order:
    """What the plain Submit button asks for."""
    return Order(
        host=parse_host(settings.PINGSITE_DEFAULT_HOST),
        count=settings.PINGSITE_DEFAULT_COUNT,
        interval=settings.PINGSITE_DEFAULT_INTERVAL,
        timeout=settings.PINGSITE_TIMEOUT,
        family="auto",
    )


def _load(text: str | None) -> dict[str, object]:
    if not text:
        raise Refusal("bad_message", "A frame is a JSON object in text.")
    if len(text.encode("utf-8", "surrogatepass")) > MAX_FRAME:
        raise Refusal("too_large", f"A frame has at most {MAX_FRAME} bytes.")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise Refusal("bad_message", "That is not JSON.") from None
    if not isinstance(message, dict):
        raise Refusal("bad_message", "A frame is a JSON object.")
    return message


def _parse_message(message: dict[str, object]) -> Command:
    match message.get("event"):
        case "my_event":
            return _parse_order(message)
        case "stop":
            return Stop()
        case "resume":
            return _parse_resume(message)
    raise Refusal("unknown_event", "That event is not known here.")


def _parse_order(wish: Mapping[str, object]) -> Order:
    default = default_order()
    host = wish.get("host", default.host)
    if not isinstance(host, str):
        raise _bad_value("host", "text")
    family = wish.get("family", default.family)
    if not isinstance(family, str) or family not in FAMILIES:
        raise _bad_value("family", "auto, 4 or 6")
    try:
        return Order(
            host=parse_host(host),
            count=int(_number(wish, "count", default.count, 1, MAX_COUNT, whole=True)),
            interval=_number(wish, "interval", default.interval, MIN_INTERVAL, MAX_INTERVAL),
            timeout=_number(wish, "timeout", default.timeout, MIN_TIMEOUT, MAX_TIMEOUT),
            family=family,
        )
    except BadHost as bad:
        raise refuse_host(bad, host) from None


def _parse_resume(message: Mapping[str, object]) -> Resume:
    run = message.get("run")
    try:
        identity = uuid.UUID(run) if isinstance(run, str) else None
    except ValueError:
        identity = None
    if identity is None:
        raise _bad_value("run", "the id of a run")
    return Resume(identity, int(_number(message, "after", -1, -1, MAX_COUNT, whole=True)))


def _hosts(value: object) -> frozenset[int] | None:
    if value == "all":
        return None
    if not isinstance(value, list) or not all(_is_id(each) for each in value):
        raise _bad_value("hosts", "“all” or a list of ids")
    return frozenset(value)


def _flag(message: Mapping[str, object], name: str) -> bool:
    value = message.get(name, False)
    if not isinstance(value, bool):
        raise _bad_value(name, "true or false")
    return value


def _is_id(value: object) -> TypeGuard[int]:
    # bool is an int to Python; the ids of a database are 63 bits.
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 63


def _number(
    wish: Mapping[str, object], name: str, default: float, least: float, most: float, *, whole: bool = False
) -> float:
    value = wish.get(name, default)
    kind = int if whole else int | float
    # bool is an int to Python, and JSON's true is no number; NaN compares false with everything.
    if isinstance(value, kind) and not isinstance(value, bool) and least <= value <= most:
        return value
    raise _bad_value(name, f"a {'whole ' if whole else ''}number from {least:g} to {most:g}")


def _convert(name: str, kind: type[int] | type[float], text: str) -> float:
    try:
        value = kind(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _bad_value(name, "a number")
    return value


def refuse_host(bad: BadHost, host: str) -> Refusal:
    """The refusal that a bad host is, naming at most 253 characters of what was typed."""
    return Refusal(bad.code, str(bad), reason=bad.reason, host=host[:253])


def _bad_value(name: str, expected: str) -> Refusal:
    return Refusal("bad_value", f"“{name}” must be {expected}.", reason=name)
