"""What the kernel says of packets that have left: errors that came back, and when each of them left."""

import contextlib
import socket
from struct import pack
from time import monotonic_ns

from monitor.ping.arrival import Arrival, read_error, read_stamp
from monitor.ping.batch import ADDRESS, ADDRESS_SIZE, Batch, Control, split_control

# Linux's numbers, which Python 3.11 does not name.
SO_TIMESTAMPING, TX_SOFTWARE, OPT_ID, OPT_TSONLY = 37, 1 << 1, 1 << 7, 1 << 11
MOST = 256
HALF = 1 << 31


class ErrorQueue:
    """The error queue of a socket; `reports` are errors read from it that nobody has taken yet.

    `wanted` goes with a packet whose departure is to be stamped, and is nothing where the kernel does not do that.
    """

    def __init__(self, opened: socket.socket, family: int, room: int) -> None:
        self.reports: list[Arrival | None] = []
        self.wanted: Control = []
        self._descriptor = opened.fileno()
        self._family = family
        self._next = 0
        self.widen(room)
        with contextlib.suppress(OSError):
            # The stamps alone, without the packets, and numbered.
            opened.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, OPT_ID | OPT_TSONLY)
            self.wanted = [(socket.SOL_SOCKET, SO_TIMESTAMPING, pack("@I", TX_SOFTWARE))]

    def widen(self, room: int) -> None:
        """Be ready for errors that quote packets of this size."""
        self._batch = Batch(self._family, 1, room, control=True)

    def take(self) -> list[Arrival | None]:
        """Return the errors that have come; None for one that makes no sense."""
        for _ in range(MOST):
            if self._read() is None:
                break
        reports, self.reports = self.reports, []
        return reports

    def find_departure(self, sent: int, ahead: int) -> int:
        """Return when the packet left that was just handed over, after `sent`; that, if the kernel does not say.

        Times are monotonic (ns), and the real clock is `ahead` of them. Most drivers stamp within the call; for those
        that do so later nobody waits.
        """
        number, self._next = self._next, self._next + 1
        for _ in range(MOST if self.wanted else 0):
            if (read := self._read()) is None:
                break
            found, stamp = read
            # Those before have smaller numbers. Where a kernel counts packets that it refused, ours has a larger one.
            if stamp and (found - number) % (2 * HALF) < HALF:
                self._next = found + 1
                return stamp - ahead if sent <= stamp - ahead <= monotonic_ns() else sent
        return sent

    def _read(self) -> tuple[int, int] | None:
        """Read an entry: the number and the time of a stamp (ns, real clock), zeros for an error, which is kept.

        None if there is no entry.
        """
        batch, start = self._batch, ADDRESS[self._family]
        try:
            ((control_size, size),) = batch.receive(self._descriptor, socket.MSG_ERRQUEUE)
        except OSError:
            return None
        control = split_control(batch.copy_control(0, control_size))
        if (stamp := read_stamp(self._family, control)) is not None:
            return stamp
        destination = bytes(batch.names[start : start + ADDRESS_SIZE[self._family]])
        self.reports.append(read_error(self._family, batch.copy(0, size), control, destination))
        return 0, 0
