"""How things look in JSON: every event name, group name and shape that the socket speaks, once."""

import datetime as dt
import json
import uuid
from collections.abc import Iterable
from typing import Any, TypedDict

from monitor.models import Run
from monitor.ping.reply import Reply, format_line

# Close codes of ours, as those of the server are: daphne cannot send 1001, 1008 or 1011 for an application.
UNKNOWN_PATH = 4404
TOO_MANY = 4429
EVENTS_FAILED = 4500

# The name of the consumer's method that hands an event of a run to the browser.
RUN_EVENT = "run.event"
# Every process that pings listens here for those who want a run of theirs stopped.
STOP_GROUP = "stop"
# NaN would be invalid JSON to a browser; what is not ASCII is escaped, for a lone surrogate cannot be sent.
_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


class Refusal(Exception):
    """A wish that is not granted: a code and its particulars for programs, an English sentence for people."""

    def __init__(self, code: str, message: str, **particulars: str | float) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.particulars = particulars


class Line(TypedDict):
    """One result, as `server` carries it: round trip in milliseconds, null where there was none."""

    data1: int
    data: str
    rtt_ms: float | None
    status: str


class SummaryShape(TypedDict):
    """The figures of a run: loss from 0 to 1, times in milliseconds; null where nothing was measured."""

    sent: int
    received: int
    lost: int
    not_sent: int
    loss: float | None
    min_ms: float | None
    avg_ms: float | None
    max_ms: float | None
    mdev_ms: float | None
    jitter_ms: float | None
    duplicates: int
    late: int


class GroupMessage(TypedDict):
    """What travels through the channel layer: the frame is encoded once, whoever reads it."""

    type: str
    run: str
    index: int
    text: str


class StopMessage(TypedDict):
    """A client's wish to end a run that another process may be at."""

    type: str
    run: str
    client: str


Message = GroupMessage | StopMessage


def socket_group(identity: str) -> str:
    """The group of one socket; a run's results go to the group of the socket that asked for it."""
    return f"socket.{identity}"


def line_shape(reply: Reply, address: str) -> Line:
    """A reply as the pages and the socket show it."""
    return {
        "data1": reply.index,
        "data": format_line(reply, address),
        "rtt_ms": to_ms(reply.rtt_us),
        "status": reply.status.value,
    }


def ping_shape(reply: Reply, address: str) -> dict[str, Any]:
    """A reply with everything that is kept of it; `sent_at` is UTC in ISO 8601."""
    return {
        **line_shape(reply, address),
        "sent_at": dt.datetime.fromtimestamp(reply.sent_at / 1e6, dt.UTC).isoformat(timespec="microseconds"),
        "ttl": reply.ttl,
        "source": reply.source,
        "bytes": reply.size,
        "duplicates": reply.duplicates,
    }


def summary_shape(run: Run) -> SummaryShape:
    """The figures of a run, as its columns have them."""
    return {
        "sent": run.sent,
        "received": run.received,
        "lost": run.lost,
        "not_sent": run.not_sent,
        "loss": run.loss,
        "min_ms": to_ms(run.min_us),
        "avg_ms": to_ms(run.avg_us),
        "max_ms": to_ms(run.max_us),
        "mdev_ms": to_ms(run.mdev_us),
        "jitter_ms": to_ms(run.jitter_us),
        "duplicates": run.duplicates,
        "late": run.late,
    }


def run_shape(run: Run, replies: Iterable[Reply]) -> dict[str, Any]:
    """A whole run: what was asked, its lines so far, and its figures once it has ended."""
    return {
        "id": str(run.id),
        "host": run.host,
        "address": run.address,
        "count": run.count,
        "interval": run.interval,
        "timeout": run.timeout,
        "live": run.live,
        "outcome": run.ending,
        "lines": [line_shape(reply, run.address) for reply in replies],
        "summary": None if run.live else summary_shape(run),
    }


def started_json(run: Run, replayed: int | None = None) -> str:
    """`started`; as the answer to a resume it says how many missed results follow at once."""
    event = {
        "event": "started",
        "run": str(run.id),
        "host": run.host,
        "address": run.address,
        "count": run.count,
        "interval": run.interval,
    }
    return _encode(event if replayed is None else event | {"replayed": replayed})


def server_json(run: Run, reply: Reply) -> str:
    """`server`: one result."""
    return _encode({"event": "server", "run": str(run.id), **line_shape(reply, run.address)})


def finished_json(run: Run) -> str:
    """`finished`: how a run ended, and its figures."""
    return _encode({"event": "finished", "run": str(run.id), "outcome": run.ending, "summary": summary_shape(run)})


def error_json(refusal: Refusal, run: uuid.UUID | None = None) -> str:
    """`error`: a code for the page, which has its own words, and an English sentence for everybody else."""
    event = {
        "event": "error",
        "code": refusal.code,
        "message": refusal.message,
        "run": str(run) if run else None,
    }
    return _encode(event | refusal.particulars)


def to_ms(microseconds: int | None) -> float | None:
    """Microseconds as milliseconds."""
    return None if microseconds is None else microseconds / 1000
