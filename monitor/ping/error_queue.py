"""What the kernel says of packets that have left: errors that came back, and when each of them left."""

import socket
from struct import pack
from time import monotonic_ns

from monitor.ping.arrival import Arrival, find_stamp, is_stamp, read_error

# Linux's numbers, which Python 3.11 does not name.
SO_TIMESTAMPING, TX_SOFTWARE, TS_ONLY = 37, 1 << 1, 1 << 11
# Goes with a packet whose departure is to be stamped.
STAMP_WANTED = (socket.SOL_SOCKET, SO_TIMESTAMPING, pack("@I", TX_SOFTWARE))
CONTROL_SIZE = 256
MOST = 256


class ErrorQueue:
    """The error queue of a socket; `reports` are errors read from it that nobody has taken yet.

    `room` is for the packet that an error quotes.
    """

    def __init__(self, opened: socket.socket, family: int, room: int) -> None:
        self.reports: list[Arrival | None] = []
        self.room = room
        self._socket = opened
        self._family = family
        # The stamp alone, without the packet.
        opened.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, TS_ONLY)

    def take(self) -> list[Arrival | None]:
        """Return the errors that have come; None for one that makes no sense."""
        for _ in range(MOST):
            if self._read() is None:
                break
        reports, self.reports = self.reports, []
        return reports

    def find_departure(self, sent: int, ahead: int) -> int:
        """Return when a packet left that was handed to the kernel after `sent`, or that if the kernel does not say.

        Times are monotonic (ns), and the real clock is `ahead` of them. Most drivers stamp within the call, and nobody
        waits for those that do so later: a packet before this one, which left during this call, can only be too early.
        """
        for _ in range(MOST):
            if (stamp := self._read()) is None:
                break
            if sent <= stamp - ahead <= monotonic_ns():
                return stamp - ahead
        return sent

    def _read(self) -> int | None:
        """Read an entry: a stamp by the real clock (ns), 0 for an error, which is kept; None if there is no other."""
        try:
            quote, control, _, address = self._socket.recvmsg(self.room, CONTROL_SIZE, socket.MSG_ERRQUEUE)
        except OSError:
            return None
        if is_stamp(self._family, control):
            return find_stamp(control)
        self.reports.append(read_error(self._family, quote, control, socket.inet_pton(self._family, address[0])))
        return 0
