"""Keep what is measured of the watched hosts, a row for each host and minute, and read those rows again.

`tests/bench/history.py` measures this beside a row for each packet, and says why it is so.
"""

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor

from django.db import DatabaseError, InterfaceError, connection, transaction

from monitor.book import Book, Packet, Page, sort_slots, tally_minute
from monitor.models import Minute
from monitor.packing import Slots, find_code
from monitor.ping.reply import Reply
from monitor.tally import FIGURES

log = logging.getLogger(__name__)

CAPACITY = 1_000_000
CLOSE_SECONDS = 3.0
PAUSE = 0.9
# Rows a transaction: with 2,000 hosts 99 of 100 held the write lock for 26 ms at most; a few wait longer for the disk.
STEP = 1000
# Figures of so many minutes a second, so that the turn of a minute is no burst of work.
COUNTED = 100

Row = tuple[int | bytes | None, ...]
NO_FIGURES: Row = (None,) * len(FIGURES)
COLUMNS = ("host_id", "minute", "packets", *FIGURES)
MARKS = ", ".join(["%s"] * len(COLUMNS))
# What is put into the text is the names of the columns above.
INSERT = f"INSERT INTO monitor_minute ({', '.join(COLUMNS)}) VALUES ({MARKS}) ON CONFLICT (host_id, minute) DO "  # noqa: S608
INSERT_NEW = INSERT + "NOTHING"
REPLACE = INSERT + "UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[2:])


class Keeper:
    """Keeps every packet of the watched hosts: `add` as they come, `flush` again and again, in one event loop.

    It writes once in `pause` seconds at most, and packs and writes in a thread of its own. While the database is away
    up to `capacity` packets wait in memory, in order; `dropped` counts those beyond, `waiting` those that are not on
    disk yet.
    """

    def __init__(self, *, capacity: int = CAPACITY, pause: float = PAUSE) -> None:
        self.dropped = 0
        self._capacity = capacity
        self._pause = pause
        self._flush_at = 0.0
        self._well = True
        self._added = 0
        self._written = 0
        self._inbox: list[Packet] = []
        self._flushing = asyncio.Lock()
        # The thread's own from here on.
        self._book = Book()
        self._thread = ThreadPoolExecutor(1, "minutes")

    @property
    def waiting(self) -> int:
        """How many packets are not on disk yet."""
        return self._added - self._written

    def add(self, host_id: int, reply: Reply, due_at_us: int, interval: float) -> None:
        """Keep a reply to the packet that was due then (µs since 1970), one of a row every `interval` seconds."""
        if not reply.note:
            self.add_value(host_id, find_code(reply), due_at_us, interval)

    def add_value(self, host_id: int, value: int, due_at_us: int, interval: float) -> None:
        """Keep what came of a packet that was due then: a round trip in µs, or a `monitor.packing.Code`, such as why it
        was never sent."""
        if self.waiting >= self._capacity:
            self.dropped += 1
            return
        self._added += 1
        self._inbox.append((host_id, due_at_us, round(interval * 1_000_000), value))

    async def flush(self) -> bool:
        """Write what waits, unless that was just done. False where the database is away; the next call tries again."""
        if time.monotonic() < self._flush_at:
            return self._well
        self._flush_at = time.monotonic() + self._pause
        self._well = await self._flush()
        return self._well

    async def close(self, *, write: bool = True) -> None:
        """Write what waits, for at most three seconds, or leave it to the process that does the work now; and let go
        of the thread."""
        if write:
            await asyncio.wait([asyncio.ensure_future(self._flush())], timeout=CLOSE_SECONDS)
        self._thread.submit(disconnect)
        self._thread.shutdown(wait=False)

    async def _flush(self) -> bool:
        async with self._flushing:
            packets, self._inbox = self._inbox, []
            writing = asyncio.get_running_loop().run_in_executor(self._thread, self._write, packets)
            try:
                # Shielded, so that whoever is cancelled here loses nothing that the thread is at.
                await asyncio.shield(writing)
            except (DatabaseError, InterfaceError) as error:
                log.error("%d packets not written, trying again: %s", self.waiting, error)
                return False
        return True

    def _write(self, packets: list[Packet]) -> None:
        self._book.add(packets)
        pages = list(self._book.list_unwritten(COUNTED))
        try:
            for place in range(0, len(pages), STEP):
                self._store(pages[place : place + STEP])
        except (DatabaseError, InterfaceError):
            connection.close()
            raise
        self._book.close()

    def _store(self, pages: list[Page]) -> None:
        # All that takes time is done outside of the transactions, so that the write lock is held for little.
        new = [self._make_row(page) for page in pages if not page.stored]
        known = [self._make_row(page) for page in pages if page.stored]
        if _execute(INSERT_NEW, new) != len(new):
            pages_there = [page for page in pages if not page.stored]
            _read_prior(pages_there)
            known += [self._make_row(page) for page in pages_there]
        _execute(REPLACE, known)
        for page in pages:
            self._written += page.unwritten
            page.unwritten, page.stored, page.counted = 0, True, self._book.is_over(page)

    def _make_row(self, page: Page) -> Row:
        packets = page.pack()
        figures = tally_minute(packets).figures if self._book.is_over(page) else NO_FIGURES
        return page.host, page.minute, packets, *figures


def read_minutes(host_id: int, since_minute: int, until_minute: int) -> list[tuple[int, Slots]]:
    """The packets of a host from one minute on until before another, by time; a minute has several entries where its
    interval changed."""
    rows = Minute.objects.filter(host_id=host_id, minute__gte=since_minute, minute__lt=until_minute)
    packed = rows.order_by("minute").values_list("minute", "packets")
    return [(minute, slots) for minute, packets in packed for slots in sort_slots(bytes(packets or b""))]


def disconnect() -> None:
    """Close the connection of the thread that calls this; handed over, `connection.close` closes that of the giver."""
    connection.close()


def _execute(statement: str, rows: list[Row]) -> int:
    """Execute a statement for every row in one transaction, and return how many rows that changed."""
    if not rows:
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(statement, rows)
        return int(cursor.rowcount)


def _read_prior(pages: list[Page]) -> None:
    """Have pages go on from what the database has of their minutes."""
    rows = Minute.objects.filter(host_id__in={page.host for page in pages}, minute__in={page.minute for page in pages})
    found = {(host, minute): packets for host, minute, packets in rows.values_list("host_id", "minute", "packets")}
    for page in pages:
        page.go_on_from(bytes(found.get((page.host, page.minute)) or b""))
