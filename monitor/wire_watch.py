"""How watched hosts look in JSON: events, group names and shapes of the board and of a host's page, once."""

import json
from collections.abc import Iterable
from typing import Any, TypedDict

from monitor.health import State
from monitor.ping.reply import Reply

# Every page with a board hears ticks here, and every process that serves such pages.
BOARD_GROUP = "board"
# Processes hear the whole board here, when one of them has asked for it.
STATE_GROUP = "board.state"
# Whoever watches hears here what pages wish.
WATCHER_GROUP = "watchers"
# Processes tell one another how many look.
LOOKERS_GROUP = "lookers"

# Every process that serves pages hears here of incidents.
INCIDENTS_GROUP = "incidents"

# Codes of what keeps a host from being measured, beside those of `BadHost`.
NOT_PERMITTED = "not_permitted"
# What stands in place of a rule where maintenance covers a host: it is so until then.
UNTIL = "until"
# The close code for those who may not look.
FORBIDDEN = 4403


class Figures(TypedDict):
    """How well the watching goes: hosts, how late echoes leave (µs, 99 of 100), packets that wait for the database and
    that it was away too long for, and what long work goes on, done so far and in all."""

    hosts: int
    late_us: int | None
    waiting: int
    dropped: int
    work: tuple[str, int, int] | None


class TickMessage(TypedDict):
    """What changed on the board in a quarter of a second: pairs of a host and its row in JSON, encoded once for all.

    `type` is "board.tick" for the change and "board.state" for the whole; `changed` are hosts that are new, or whose
    name, group or the like is another; `gone` are on the board no more.
    """

    type: str
    number: int
    at: int
    rows: list[tuple[int, str]]
    changed: list[int]
    gone: list[int]
    figures: Figures | None


class LineMessage(TypedDict):
    """One echo, for those who look at its host: the frame is encoded once."""

    type: str
    text: str


class LookMessage(TypedDict):
    """Somebody looks at a host, and would have it asked faster; it holds for a few seconds."""

    type: str
    host: int
    faster: bool


class AskMessage(TypedDict):
    """A process that has just begun to look wants the whole board."""

    type: str


class RebuildMessage(TypedDict):
    """Somebody wants the hours of hosts built again from their packets."""

    type: str
    hosts: list[int]


class LookersMessage(TypedDict):
    """So many sockets look from one process."""

    type: str
    process: str
    number: int


class IncidentsMessage(TypedDict):
    """Incidents of these hosts began, changed or ended, and are on record so; how many go on then."""

    type: str
    hosts: list[int]
    open: int


# Since when a host is as it is (ms since 1970), the rule that it broke, and what that allows: packets, a share or µs;
# of maintenance `UNTIL`, and when it ends (ms since 1970).
Why = tuple[int, str, float | None]
WatchMessage = TickMessage | LineMessage | LookMessage | AskMessage | RebuildMessage | LookersMessage | IncidentsMessage


def lines_group(host: int) -> str:
    """The group of those who look at every echo of a host."""
    return f"lines.{host}"


def row_json(
    host: int,
    state: State,
    last: int | str | None,
    loss: float | None,
    jitter: float | None,
    sent_at: int | None,
    why: Why | None = None,
) -> str:
    """A host on the board: how it is, the last round trip in µs or why there is none, the loss (0 to 1) and the jitter
    (µs) of five minutes, and when the last echo was sent (ms since 1970). One that is not as it should be says since
    when (ms), by which rule, and what that allows; one in maintenance until when."""
    shown = f'"{last}"' if isinstance(last, str) else "null" if last is None else last
    lost = "null" if loss is None else round(loss, 4)
    # Codes have nothing to escape; an encoder takes five times as long, two thousand times a second.
    row = f'[{host},"{state}",{shown},{lost},{"null" if jitter is None else round(jitter)},{sent_at or "null"}'
    if why is None:
        return row + "]"
    since, reason, limit = why
    return f'{row},{since},"{reason}",{"null" if limit is None else limit}]'


def hosts_json(
    number: int, after: int, at: int, rows: list[str], changed: list[int], gone: list[int], figures: Figures | None
) -> str:
    """`hosts`: rows that changed since the message `after`; who is not as far as that has missed something."""
    event = {"event": "hosts", "number": number, "after": after, "at": at, "changed": changed, "gone": gone}
    head = _encode(event | ({"figures": figures} if figures else {}))
    return f'{head[:-1]},"rows":[{",".join(rows)}]}}'


def line_json(host: int, number: int, reply: Reply) -> str:
    """`line`: one echo; `number` counts what was told of this host, `index` the echoes in the order sent."""
    return _encode(
        {
            "event": "line",
            "host": host,
            "number": number,
            "index": reply.index,
            "t": reply.sent_at // 1000,
            "us": reply.status.value if reply.rtt_us is None else reply.rtt_us,
            "status": reply.status.value,
            "ttl": reply.ttl,
            "source": reply.source,
            "bytes": reply.size,
        }
    )


def incidents_json(hosts: list[int], number: int) -> str:
    """`incidents`: those of these hosts are others than they were, and there to be fetched; so many go on in all."""
    return _encode({"event": "incidents", "hosts": hosts, "open": number})


def looking_json(number: int) -> str:
    """`looking`: how many sockets look."""
    return _encode({"event": "looking", "number": number})


def subscribed_json(number: int) -> str:
    """`subscribed`: what happens from now on will be told; what was up to `number` is there to be fetched."""
    return _encode({"event": "subscribed", "number": number})


def board_json(
    number: int,
    at: int | None,
    rows: Iterable[str],
    figures: Figures | None,
    hosts: list[dict[str, Any]],
    incidents: int,
) -> str:
    """The whole board: rows as `hosts` sends them up to this number, what else is known of each host, and how many
    incidents go on."""
    head = _encode({"number": number, "at": at, "figures": figures, "hosts": hosts, "open": incidents})
    return f'{head[:-1]},"rows":[{",".join(rows)}]}}'


# One encoder for all: json.dumps with options makes a new one each time, which costs thrice the encoding of a row.
_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
