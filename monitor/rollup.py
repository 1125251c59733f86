"""Roll minutes up to hours, cut off packets and delete minutes by age: work in small steps, each its own transaction.

Packets and figures of a minute are one row, which loses its packets after PINGSITE_KEEP_PACKETS_DAYS and stays up to
PINGSITE_KEEP_MINUTES_DAYS. Measured at 1 s: figures in the row take 0.5 byte a packet, in a table of their own 1.2; and
they make the chart of a week one of 10,080 rows instead of 604,800 packets.
"""

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from django.conf import settings
from django.db.models import Max, Min, Model, QuerySet

from monitor.book import sort_slots, tally_minute
from monitor.histogram import pack_wide
from monitor.minutes import disconnect
from monitor.models import Host, Hour, Minute
from monitor.tally import FIGURES, tally

# Rows a step; measured over 17,000 steps with 2,000 hosts, it held the write lock for 2 ms at p99 and 37 ms at most.
STEP = 500
# After a step the machine is left alone for so many times as long as it took.
REST = 3
# A host of which nothing came for so long will not come back with what it had in hand.
GIVEN_UP = 24 * 60


class Progress(NamedTuple):
    """How far a piece of long work is: steps done, of so many."""

    work: str
    done: int
    total: int


def tidy_history(now: dt.datetime) -> Iterator[Progress]:
    """Do all that is due, a step each time the next is asked for; any step may be the last."""
    hosts = list(_list_hosts(Minute))
    yield from roll_up(hosts, now)
    yield from cut_packets(hosts, now - dt.timedelta(days=settings.PINGSITE_KEEP_PACKETS_DAYS))
    yield from prune_minutes(hosts, now - dt.timedelta(days=settings.PINGSITE_KEEP_MINUTES_DAYS))
    if settings.PINGSITE_KEEP_HOURS_DAYS:
        yield from prune_hours(now - dt.timedelta(days=settings.PINGSITE_KEEP_HOURS_DAYS))
    yield from sweep_deleted()


async def work_off(steps: Iterator[Progress], tell: Callable[[Progress], None] | None = None) -> None:
    """Do the steps in a thread of their own, with rests between them, telling how far it is."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, "rollup") as thread:
        try:
            while True:
                began = time.monotonic()
                progress = await loop.run_in_executor(thread, next, steps, None)
                if progress is None:
                    return
                if tell:
                    tell(progress)
                await asyncio.sleep(REST * (time.monotonic() - began))
        finally:
            thread.submit(disconnect)


def roll_up(hosts: list[int], now: dt.datetime) -> Iterator[Progress]:
    """Write the hours that are complete and not written yet."""
    for done, host in enumerate(hosts, 1):
        last = Hour.objects.filter(host_id=host).aggregate(last=Max("hour"))["last"]
        for _ in _roll_up_host(host, 0 if last is None else last + 1, now):
            yield Progress("roll-up", done - 1, len(hosts))
        yield Progress("roll-up", done, len(hosts))


def rebuild(host: int, since: dt.datetime, now: dt.datetime) -> Iterator[Progress]:
    """Write the hours of a host again, from an hour on of which the packets are still there."""
    first = int(since.timestamp()) // 3600
    total = int(now.timestamp()) // 3600 - first
    for hour in _roll_up_host(host, first, now):
        yield Progress("rebuild", min(total, hour - first + 1), total)


def rebuild_all(hosts: Iterable[int], now: dt.datetime) -> Iterator[Progress]:
    """Write the hours of hosts again, all of which the packets are still there from the first to the last."""
    minute = int(now.timestamp()) // 60
    firsts = {host: first for host in hosts if (first := _find_first_packets(host, minute)) is not None}
    starts = {host: dt.datetime.fromtimestamp(-(-first // 60) * 3600, dt.UTC) for host, first in firsts.items()}
    before, total = 0, sum(max(0, minute // 60 - -(-first // 60)) for first in firsts.values())
    for host, start in starts.items():
        for progress in rebuild(host, start, now):
            yield Progress("rebuild", before + progress.done, total)
        before += max(0, minute // 60 - int(start.timestamp()) // 3600)


def cut_packets(hosts: list[int], before: dt.datetime) -> Iterator[Progress]:
    """Take the packets from minutes before then; their figures stay."""
    end = int(before.timestamp()) // 60
    starts = [start for host in hosts if (start := _find_first_packets(host, end)) is not None]
    for rows, progress in _slice("packets", hosts, starts, end):
        rows.filter(packets__isnull=False).update(packets=None)
        yield progress


def prune_minutes(hosts: list[int], before: dt.datetime) -> Iterator[Progress]:
    """Delete minutes before then."""
    end = int(before.timestamp()) // 60
    firsts = [Minute.objects.filter(host_id=host).aggregate(first=Min("minute"))["first"] for host in hosts]
    for rows, progress in _slice("minutes", hosts, [first for first in firsts if first is not None], end):
        rows.delete()
        yield progress


def prune_hours(before: dt.datetime) -> Iterator[Progress]:
    """Delete hours before then."""
    end = int(before.timestamp()) // 3600
    for host in list(_list_hosts(Hour)):
        yield from _delete(Hour.objects.filter(host_id=host, hour__lt=end), "hour", "hours")


def sweep_deleted() -> Iterator[Progress]:
    """Delete the history of hosts that are deleted."""
    kept = set(Host.objects.values_list("pk", flat=True))
    for host in set(_list_hosts(Minute)) - kept:
        yield from _delete(Minute.objects.filter(host_id=host), "minute", "deleted")
    for host in set(_list_hosts(Hour)) - kept:
        yield from _delete(Hour.objects.filter(host_id=host), "hour", "deleted")


def _roll_up_host(host: int, first: int, now: dt.datetime) -> Iterator[int]:
    """Write the complete hours of a host from `first` on, and yield each."""
    rows = Minute.objects.filter(host_id=host, minute__gte=first * 60, packets__isnull=False).order_by("minute")
    latest = rows.values_list("minute", flat=True).last()
    if latest is None:
        return
    # Minutes are written in order, so an hour is complete when a later minute is there; or else when it is too old.
    given_up = now.timestamp() / 60 - latest > GIVEN_UP
    end = (latest // 60 + given_up) * 60
    # Whole lists: SQLite refuses at once to write behind a cursor whose snapshot another writer has left behind.
    while next_hour := list(rows.filter(minute__gte=first * 60, minute__lt=end).values_list("minute", flat=True)[:1]):
        hour = next_hour[0] // 60
        _write_hour(host, hour, list(rows.filter(minute__gte=hour * 60, minute__lt=(hour + 1) * 60)))
        yield hour
        first = hour + 1


def _write_hour(host: int, hour: int, minutes: list[Minute]) -> None:
    values: list[int] = []
    for row in minutes:
        packets = bytes(row.packets or b"")
        values += [value for slots in sort_slots(packets) for value in slots.values]
        if row.sent is None:
            # The watcher died before the minute was over.
            figures = zip(FIGURES, tally_minute(packets).figures, strict=True)
            Minute.objects.filter(host_id=host, minute=row.minute).update(**dict(figures))
    counted = tally(values)
    kept = dict(zip(FIGURES, (*counted[:-1], pack_wide(counted.entries)), strict=True))
    kept["sum_us"] = sum(value for value in values if value > 0)
    Hour.objects.bulk_create(
        [Hour(host_id=host, hour=hour, **kept)],
        update_conflicts=True, unique_fields=["host", "hour"], update_fields=list(kept),
    )  # fmt: skip


def _list_hosts(model: type[Model]) -> Iterator[int]:
    """The hosts that a table has rows of, by hops along its key: to count them it would read the whole of it."""
    last = -1
    hosts = model._default_manager.order_by("host_id").values_list("host_id", flat=True)
    while (found := hosts.filter(host_id__gt=last).first()) is not None:
        yield (last := found)


def _find_first_packets(host: int, end: int) -> int | None:
    """The first minute before `end` that still has its packets: it follows the last one that has not."""
    rows = Minute.objects.filter(host_id=host, minute__lt=end)
    cut = rows.filter(packets__isnull=True).order_by("-minute").values_list("minute", flat=True).first()
    return rows.filter(minute__gt=-1 if cut is None else cut).aggregate(first=Min("minute"))["first"]


def _slice(work: str, hosts: list[int], starts: list[int], end: int) -> Iterator[tuple[QuerySet[Minute], Progress]]:
    """The minutes of all hosts up to `end` in slices of about `STEP` rows. They are by minute, as they were written: so
    a slice touches few pages of the file."""
    start = min(starts, default=end)
    span = max(1, STEP // max(1, len(hosts)))
    for minute in range(start, end, span):
        for place in range(0, len(hosts), STEP):
            rows = Minute.objects.filter(
                host_id__in=hosts[place : place + STEP], minute__gte=minute, minute__lt=min(minute + span, end)
            )
            yield rows, Progress(work, minute + span - start, end - start)


def _delete(rows: QuerySet[Minute] | QuerySet[Hour], name: str, work: str) -> Iterator[Progress]:
    """Delete rows of one host in steps, oldest first."""
    total, done = rows.count(), 0
    while names := list(rows.order_by(name).values_list(name, flat=True)[:STEP]):
        done += rows.filter(**{f"{name}__lte": names[-1]}).delete()[0]
        yield Progress(work, done, total)
