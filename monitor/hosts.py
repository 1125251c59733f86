"""Hosts to watch, as people write them: pasted lines or a TOML file → wishes, and complaints with their lines."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from monitor.models import LONGEST, SHORTEST, Family
from monitor.ping.host import BadHost, Policy, check_addresses, is_address, parse_host
from monitor.wire import Refusal

MAX_LINES = 200
MAX_HOSTS = 10_000
MIN_TIMEOUT = 0.1
MAX_TIMEOUT = 30.0
MAX_TEXT = 100
MAX_TAGS = 10
# Both families side by side are two hosts: each has its own address, round trips and state.
BOTH = "both"
SUFFIXES = {"4": " (IPv4)", "6": " (IPv6)"}


@dataclass(frozen=True, slots=True)
class Wish:
    """A host that somebody wants watched: `host` as `parse_host` returns it, times in seconds; `parent` is the name of
    the host that it is reached through, "" for none and None for whatever it is."""

    name: str
    host: str
    family: str = "auto"
    interval: float = 1.0
    timeout: float = 2.0
    group: str = ""
    tags: tuple[str, ...] = ()
    paused: bool = False
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line that somebody wrote, counted from one: what it asks for, or what is wrong with it."""

    number: int
    text: str
    wishes: tuple[Wish, ...] = ()
    problem: Refusal | None = None


class BadFile(Exception):
    """What is wrong with a file, and in which of its lines."""

    def __init__(self, line: int, refusal: Refusal) -> None:
        super().__init__(f"line {line}: {refusal.message}")
        self.line = line
        self.refusal = refusal


def parse_lines(text: str, **defaults: Any) -> list[Line]:
    """Pasted lines `host`, or `name, host, group, tags`; tabs part as well as commas, so that a spreadsheet can be
    pasted. `defaults` are values for every host. Empty lines and those that begin with # are left out."""
    lines: list[Line] = []
    for number, written in enumerate(text.splitlines(), 1):
        if not (line := written.strip()) or line.startswith("#"):
            continue
        if len(lines) == MAX_LINES:
            lines.append(Line(number, line, problem=_refuse("lines", f"at most {MAX_LINES} lines at a time")))
            break
        try:
            lines.append(Line(number, line, tuple(parse_wish(_split(line) | defaults))))
        except Refusal as refusal:
            lines.append(Line(number, line, problem=refusal))
    return lines


def parse_toml(text: str, ways: Mapping[str, str] | None = None) -> list[Wish]:
    """The hosts of a file: tables `[[hosts]]` with the fields of a `Wish`, and `[defaults]` for all of them. `ways` are
    the names of hosts that stay watched beside it, and of what each is reached through, "" for nothing."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+)", str(error))
        line = int(at[1]) if at else text.count("\n") + 1
        raise BadFile(line, Refusal("bad_file", f"That is not TOML: {error}.")) from None
    defaults, tables = content.get("defaults", {}), content.get("hosts", [])
    sound = isinstance(tables, list) and all(isinstance(table, dict) for table in [defaults, *tables])
    if not sound or set(content) - {"defaults", "hosts"}:
        raise BadFile(1, Refusal("bad_file", "A file has [defaults] and [[hosts]], and nothing else."))
    wishes: list[Wish] = []
    names: set[str] = set()
    places: list[int] = []
    for place, table in enumerate(tables):
        try:
            wishes += parse_wish(defaults | table)
            if len(wishes) > MAX_HOSTS:
                raise _refuse("hosts", f"at most {MAX_HOSTS}")
            if twice := next((wish.name for wish in wishes[len(names) :] if wish.name in names), None):
                raise _refuse("name", "in the file once", given=twice)
        except Refusal as refusal:
            field = "host" if refusal.code == "bad_host" else str(refusal.particulars["reason"])
            raise BadFile(_find_line(text, place, field), refusal) from None
        places += [place] * (len(wishes) - len(names))
        names.update(wish.name for wish in wishes)
    ways = dict(ways or {})
    ways |= {wish.name: ways.get(wish.name, "") if wish.parent is None else wish.parent for wish in wishes}
    _check_ways(text, [(wish.name, place) for wish, place in zip(wishes, places, strict=True) if wish.parent], ways)
    return wishes


def parse_wish(written: Mapping[str, Any]) -> Iterator[Wish]:
    """The wishes that one entry stands for: two of them where it names both families. `Refusal` says what is wrong."""
    if unknown := set(written) - {field.name for field in fields(Wish)}:
        raise _refuse(min(unknown), f"one of {', '.join(field.name for field in fields(Wish))}")
    wish = Wish(
        name=_text(written, "name") or _text(written, "host"),
        host=_host(written),
        family=_choice(written, "family", (*Family.values, BOTH)),
        interval=_number(written, "interval", SHORTEST, LONGEST),
        timeout=_number(written, "timeout", MIN_TIMEOUT, MAX_TIMEOUT),
        group=_text(written, "group"),
        tags=_tags(written),
        paused=_truth(written, "paused"),
        parent=_text(written, "parent") if "parent" in written else None,
    )
    if wish.family != BOTH:
        return iter((wish,))
    return (replace(wish, name=wish.name + suffix, family=family) for family, suffix in SUFFIXES.items())


def _split(line: str) -> dict[str, Any]:
    parts = [part.strip() for part in re.split(r"[,\t]", line)]
    if len(parts) == 1:
        return {"host": parts[0]}
    name, host, *rest = parts
    group, *tags = rest or [""]
    return {"name": name, "host": host, "group": group, "tags": [tag for part in tags for tag in part.split()]}


def _host(written: Mapping[str, Any]) -> str:
    host = written.get("host", "")
    if not isinstance(host, str):
        raise _refuse("host", "text")
    try:
        name = parse_host(host.strip())
        return check_addresses([name], Policy.UNICAST) if is_address(name) else name
    except BadHost as bad:
        raise Refusal(bad.code, str(bad), reason=bad.reason, host=host[:253]) from None


def _text(written: Mapping[str, Any], name: str) -> str:
    value = written.get(name, "")
    if not isinstance(value, str) or len(value) > MAX_TEXT or not value.isprintable():
        raise _refuse(name, f"text of at most {MAX_TEXT} characters")
    return value.strip()


def _tags(written: Mapping[str, Any]) -> tuple[str, ...]:
    tags = written.get("tags", ())
    if not isinstance(tags, list | tuple) or len(tags) > MAX_TAGS:
        raise _refuse("tags", f"at most {MAX_TAGS} words")
    if not all(isinstance(tag, str) and tag.isprintable() and 0 < len(tag) <= MAX_TEXT for tag in tags):
        raise _refuse("tags", f"at most {MAX_TAGS} words")
    return tuple(dict.fromkeys(tags))


def _choice(written: Mapping[str, Any], name: str, choices: tuple[str, ...]) -> str:
    value = written.get(name, choices[0])
    if value not in choices:
        raise _refuse(name, f"one of {', '.join(choices)}")
    return value


def _number(written: Mapping[str, Any], name: str, least: float, most: float) -> float:
    value = written.get(name, _DEFAULTS[name])
    # bool is an int to Python; NaN compares false with everything.
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise _refuse(name, f"a number from {least:g} to {most:g}")
    return float(value)


def _truth(written: Mapping[str, Any], name: str) -> bool:
    value = written.get(name, False)
    if not isinstance(value, bool):
        raise _refuse(name, "true or false")
    return value


def _check_ways(text: str, named: list[tuple[str, int]], ways: Mapping[str, str]) -> None:
    for name, place in named:
        if fault := _find_fault(name, ways):
            raise BadFile(_find_line(text, place, "parent"), fault)


def _find_fault(name: str, ways: Mapping[str, str]) -> Refusal | None:
    """Why a host cannot be reached through the one that it names."""
    parent = ways[name]
    if parent not in ways:
        return _refuse("parent", "the name of a host that is in the file or watched already", given=parent)
    passed: set[str] = set()
    while parent and parent not in passed:
        if parent == name:
            return _refuse("parent", "another host, that is not reached through this one", given=ways[name])
        passed.add(parent)
        parent = ways.get(parent, "")
    return None


def _find_line(text: str, place: int, name: str) -> int:
    """The line of a field in the table at this place, or of the table where it does not write the field itself."""
    lines = text.splitlines()
    heads = [number for number, line in enumerate(lines, 1) if re.match(r"\s*\[\[\s*hosts\s*\]\]", line)]
    if place >= len(heads):
        return 1
    end = heads[place + 1] if place + 1 < len(heads) else len(lines) + 1
    own = (number for number in range(heads[place], end) if re.match(rf"\s*{re.escape(name)}\s*=", lines[number - 1]))
    return next(own, heads[place])


def _refuse(name: str, expected: str, **particulars: str) -> Refusal:
    return Refusal("bad_field", f"“{name}” must be {expected}.", reason=name, **particulars)


_DEFAULTS: dict[str, float] = {f.name: f.default for f in fields(Wish) if isinstance(f.default, float)}
