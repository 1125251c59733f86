"""What came of one echo request: a frozen record, and the line that ping(8) would print of it."""

import enum
from typing import NamedTuple


class Status(enum.StrEnum):
    """What came of an echo; the values go on the wire. Only `REPLY` has arrived in time."""

    REPLY = "reply"
    TIMEOUT = "timeout"
    HOST_UNREACHABLE = "host_unreachable"
    NET_UNREACHABLE = "net_unreachable"
    PORT_UNREACHABLE = "port_unreachable"
    PROTOCOL_UNREACHABLE = "protocol_unreachable"
    UNREACHABLE = "unreachable"
    PROHIBITED = "prohibited"
    TIME_EXCEEDED = "time_exceeded"
    TOO_BIG = "too_big"
    CORRUPT = "corrupt"
    NO_ROUTE = "no_route"
    BLOCKED = "blocked"
    NOT_SENT = "not_sent"
    # Notes: they say more of an echo that has a status of its own already, or will have one.
    DUPLICATE = "duplicate"
    LATE = "late"
    REDIRECT = "redirect"


# In Python 3.11 to look up a member of an enumeration takes longer than to parse a packet.
REPLY = Status.REPLY
NOTES = frozenset({Status.DUPLICATE, Status.LATE, Status.REDIRECT})

REASONS = {
    Status.HOST_UNREACHABLE: "Destination Host Unreachable",
    Status.NET_UNREACHABLE: "Destination Net Unreachable",
    Status.PORT_UNREACHABLE: "Destination Port Unreachable",
    Status.PROTOCOL_UNREACHABLE: "Destination Protocol Unreachable",
    Status.UNREACHABLE: "Destination Unreachable",
    Status.PROHIBITED: "Communication Prohibited",
    Status.TIME_EXCEEDED: "Time to live exceeded",
    Status.TOO_BIG: "Packet too big",
    Status.REDIRECT: "Redirected",
}

FAILURES = {
    Status.TIMEOUT: "No answer from {}: icmp_seq={} timeout",
    Status.CORRUPT: "Damaged answer from {}: icmp_seq={}",
    Status.NO_ROUTE: "No route to {}: icmp_seq={}",
    Status.BLOCKED: "Blocked by this machine's firewall: {} icmp_seq={}",
    Status.NOT_SENT: "Not measured: {} icmp_seq={} could not be sent in time",
}


class Reply(NamedTuple):
    """One echo and its outcome; times are whole microseconds.

    `index` counts from 0 in send order; `sent_at` is since the Unix epoch; `rtt_us` is there only when
    an answer came; `source` is who answered, the host or a router; `size` counts the ICMP bytes of the
    answer; `delay_us` is how much later than due the packet left.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody asks a record for
    status: Status
    sent_at: int
    rtt_us: int | None = None
    ttl: int | None = None
    source: str | None = None
    size: int | None = None
    duplicates: int = 0
    delay_us: int = 0

    @property
    def note(self) -> bool:
        """Whether this only adds to an echo that is counted by another record."""
        return self.status in NOTES

    @property
    def measured(self) -> bool:
        """Whether this is what the network did, rather than our own failure to ask it."""
        return self.status is not Status.NOT_SENT and not self.note

    @property
    def lost(self) -> bool:
        """Whether the echo went out and no sound answer came back in time."""
        return self.measured and self.status is not Status.REPLY


def format_line(reply: Reply, address: str) -> str:
    """Return the line for `reply` of `address`, in the words of ping(8); never empty."""
    sequence = reply.index + 1
    match reply.status:
        case Status.REPLY:
            return _format_answer(reply, address)
        case Status.DUPLICATE:
            return f"{_format_answer(reply, address)} (DUP!)"
        case Status.LATE:
            return f"{_format_answer(reply, address)} (LATE!)"
        case status if status in REASONS:
            return f"From {reply.source or address} icmp_seq={sequence} {REASONS[status]}"
        case status:
            return FAILURES[status].format(address, sequence)


def format_time(microseconds: int) -> str:
    """Return milliseconds with the digits of ping(8): "0.052", "1.53", "12.7", "250"."""
    digits = 3 if microseconds < 1_000 else 2 if microseconds < 10_000 else 1 if microseconds < 100_000 else 0
    return f"{microseconds / 1000:.{digits}f}"


def _format_answer(reply: Reply, address: str) -> str:
    parts = [f"{reply.size or 0} bytes from {reply.source or address}: icmp_seq={reply.index + 1}"]
    if reply.ttl is not None:
        parts.append(f"ttl={reply.ttl}")
    if reply.rtt_us is not None:
        parts.append(f"time={format_time(reply.rtt_us)} ms")
    return " ".join(parts)
