"""`python -m tests.bench.history`: what keeping every packet costs in bytes and time; prints a Markdown table.

Packets are one a second with 3 % of jitter and 0.5 % loss, for hosts from 0.3 to 250 ms away. A row of the table holds
what a layout takes in a SQLite file with its indexes, without VACUUM, written second by second as it is in production:

* a row a packet (host, when, round trip, unique by host and when) is what everybody does first;
* a minute's row of 4-byte integers, of the same through zlib, and of our varints, each a blob and nothing else;
* a minute's row as the site keeps it: varints and the figures of the minute, from which long charts are drawn.
"""

import argparse
import asyncio
import itertools
import json
import os
import random
import sqlite3
import struct
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median

FOLDER = tempfile.TemporaryDirectory(prefix="pingsite-bench-")
os.environ["PINGSITE_DATA"] = FOLDER.name
os.environ["DJANGO_SETTINGS_MODULE"] = "pingsite.settings"

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from monitor import minutes  # noqa: E402
from monitor.board_page import LastHour  # noqa: E402
from monitor.book import tally_minute  # noqa: E402
from monitor.minutes import Keeper  # noqa: E402
from monitor.models import Host, Hour, Minute  # noqa: E402
from monitor.packing import LOST, Slots, pack  # noqa: E402
from monitor.rollup import tidy_history  # noqa: E402
from monitor.series import read_counts, read_series  # noqa: E402
from monitor.tally import FIGURES  # noqa: E402

SECOND = 1_000_000
START = 29_000_000 * 60 * SECOND
DISTANCES = (300, 2000, 12_700, 40_000, 100_000, 250_000)
Write = Callable[[sqlite3.Connection, int, list[list[int]]], None]


def draw(chance: random.Random, distance: int) -> int:
    """A round trip in µs to a host so far away, or that there was none."""
    return LOST if chance.random() < 0.005 else max(20, round(chance.gauss(distance, distance * 0.03)))


def draw_hosts(hosts: int, seconds: int) -> list[list[int]]:
    """The values of hosts, a list of seconds for each."""
    chance = random.Random(1)
    return [[draw(chance, DISTANCES[host % len(DISTANCES)]) for _ in range(seconds)] for host in range(hosts)]


def measure_layout(schema: str, write: Write, packets: list[list[int]]) -> tuple[float, float]:
    """Bytes a packet in the file, and CPU seconds for each second of all hosts."""
    path = Path(FOLDER.name, "layout.sqlite3")
    path.unlink(missing_ok=True)
    database = sqlite3.connect(path, isolation_level=None)
    database.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {schema}")
    seconds, began = len(packets[0]), time.process_time()
    for second in range(seconds):
        database.execute("BEGIN IMMEDIATE")
        write(database, second, packets)
        database.execute("COMMIT")
    cpu = time.process_time() - began
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    pages, size = (database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    database.close()
    return pages * size / (len(packets) * seconds), cpu / seconds


def write_packets(database: sqlite3.Connection, second: int, packets: list[list[int]]) -> None:
    """A row a packet."""
    at = START + second * SECOND
    rows = [(host, at + host, None if row[second] < 0 else row[second]) for host, row in enumerate(packets)]
    database.executemany("INSERT INTO ping (host, sent_at, rtt) VALUES (?, ?, ?)", rows)


def write_blobs(encode: Callable[[list[int]], bytes]) -> Write:
    """A row a minute, replaced every second."""

    def write(database: sqlite3.Connection, second: int, packets: list[list[int]]) -> None:
        first = second - second % 60
        minute = START // SECOND // 60 + second // 60
        rows = [(host, minute, encode(row[first : second + 1])) for host, row in enumerate(packets)]
        statement = "INSERT INTO minute VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET data = excluded.data"
        database.executemany(statement, rows)

    return write


def encode_plain(values: list[int]) -> bytes:
    """Four bytes a value."""
    return struct.pack(f"{len(values)}i", *values)


PINGS = "CREATE TABLE ping (id INTEGER PRIMARY KEY, host INT, sent_at INT, rtt INT, UNIQUE (host, sent_at));"
BLOBS = "CREATE TABLE minute (host INT, minute INT, data BLOB, PRIMARY KEY (host, minute));"
CLUSTERED = BLOBS.replace(");", ") WITHOUT ROWID;")
LAYOUTS: dict[str, tuple[str, Write]] = {
    "a row a packet": (PINGS, write_packets),
    "minute rows, 4-byte integers": (BLOBS, write_blobs(encode_plain)),
    "minute rows, 4-byte integers, zlib": (BLOBS, write_blobs(lambda values: zlib.compress(encode_plain(values)))),
    "minute rows, varints": (BLOBS, write_blobs(lambda values: pack(Slots(250, 1000, values)))),
    "minute rows, varints, clustered by host": (CLUSTERED, write_blobs(lambda values: pack(Slots(250, 1000, values)))),
}


def measure_sizes(hosts: int, seconds: int) -> Iterator[tuple[str, str]]:
    """Bytes a packet of every layout, the same packets in each."""
    packets = draw_hosts(hosts, seconds)
    for name, (schema, write) in LAYOUTS.items():
        size, _ = measure_layout(schema, write, packets)
        yield f"bytes a packet: {name}", f"{size:.2f}"
    before = measure_file()
    asyncio.run(keep(packets))
    # The turn of a last minute, so that every minute has its figures.
    yield (
        "bytes a packet: **the site's minute rows, with figures**",
        f"**{(measure_file() - before) / (hosts * seconds):.2f}**",
    )
    worst = [
        max(len(pack(Slots(250, 1000, row[:60]))) / 60 for row in packets[place :: len(DISTANCES)])
        for place in range(len(DISTANCES))
    ]
    yield "bytes a packet: packed values alone, nearest to farthest host", " · ".join(f"{size:.2f}" for size in worst)


def measure_file() -> int:
    """The bytes that the minutes take, with their index, without what was free before them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(pgsize) FROM dbstat WHERE name LIKE '%monitor_minute%'")
        return int(cursor.fetchone()[0])


async def keep(packets: list[list[int]]) -> tuple[float, float, float]:
    """Keep packets as the watcher does; CPU seconds for each second, the greatest of them, and the longest time (s)
    that a transaction took."""
    keeper, costs, longest, execute = Keeper(pause=0), [], 0.0, minutes._execute

    def execute_timed(statement: str, rows: list[minutes.Row]) -> int:
        nonlocal longest
        began = time.perf_counter()
        try:
            return execute(statement, rows)
        finally:
            longest = max(longest, time.perf_counter() - began)

    minutes._execute = execute_timed
    for second in range(len(packets[0])):
        began = time.process_time()
        for host, row in enumerate(packets):
            keeper.add_value(host + 1, row[second], START + second * SECOND + host * SECOND // len(packets), 1.0)
        assert await keeper.flush()
        costs.append(time.process_time() - began)
    await keeper.close()
    minutes._execute = execute
    return sum(costs) / len(costs), max(costs), longest


def measure_writing(hosts: int, seconds: int) -> Iterator[tuple[str, str]]:
    """What the site takes to keep a packet a second of so many hosts, beside a row a packet."""
    packets = draw_hosts(hosts, seconds)
    _, plain = measure_layout(*LAYOUTS["a row a packet"], packets)
    mean, most, longest = asyncio.run(keep(packets))
    yield f"writing {hosts:,} hosts × 1 s, share of a core: a row a packet, plain SQL", f"{plain:.1%}"
    yield f"writing {hosts:,} hosts × 1 s, share of a core: **the site**", f"**{mean:.1%}** (worst second {most:.1%})"
    yield f"writing {hosts:,} hosts × 1 s: longest transaction", f"{longest * 1000:.0f} ms"


def fill(host: Host, first: int, number: int, distance: int) -> None:
    """Keep minutes of a host from `first` on."""
    chance, rows = random.Random(host.pk), []
    for minute in range(first, first + number):
        packets = pack(Slots(250, 1000, [draw(chance, distance) for _ in range(60)]))
        figures = dict(zip(FIGURES, tally_minute(packets).figures, strict=True))
        rows.append(Minute(host_id=host.pk, minute=minute, packets=packets, **figures))
    Minute.objects.bulk_create(rows, 1000)


def time_reading(read: Callable[[], object], rounds: int = 7) -> str:
    """The median of several readings, and the slowest."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        read()
        times.append((time.perf_counter() - began) * 1000)
    return f"{median(times):.0f} ms (slowest {max(times):.0f} ms)"


def measure_reading() -> Iterator[tuple[str, str]]:
    """A day from packets, a week from minutes, a year from hours."""
    host, now = Host.objects.create(name="one", slug="one", host="192.0.2.1"), timezone.now()
    this = int(now.timestamp()) // 60
    fill(host, this - 7 * 1440, 7 * 1440, 12_700)
    list(tidy_history(now))
    rows = list(Hour.objects.filter(host=host)[:100])
    first = this // 60 - 365 * 24
    year = [Hour(**{**{f.attname: getattr(rows[n % 100], f.attname) for f in Hour._meta.concrete_fields}, "hour": first + n})
            for n in range(365 * 24 - 7 * 24)]  # fmt: skip
    Hour.objects.bulk_create(year, 500, ignore_conflicts=True)
    for name, days in (("a day, 86,400 packets", 1), ("a week from minutes", 7), ("a year from hours", 365)):

        def read(days: int = days) -> str:
            return json.dumps(read_series(host, now - timedelta(days=days), now).columns)

        yield f"chart of {name}, JSON included", time_reading(read)


def measure_board(hosts: int) -> Iterator[tuple[str, str]]:
    """The last hour of every host, written minute by minute as in production."""
    this = int(timezone.now().timestamp()) // 60
    all_hosts = Host.objects.bulk_create(
        Host(name=f"host {n}", slug=f"host-{n}", host="192.0.2.1") for n in range(hosts)
    )
    chance = random.Random(3)
    packets = [pack(Slots(250, 1000, [draw(chance, distance) for _ in range(60)])) for distance in DISTANCES]
    figures = [dict(zip(FIGURES, tally_minute(each).figures, strict=True)) for each in packets]
    for minute in range(this - 61, this + 1):
        Minute.objects.bulk_create(
            Minute(host=host, minute=minute, packets=packets[n % 6], **figures[n % 6])
            for n, host in enumerate(all_hosts)
        )
    # A minute later each time, as it goes; that the whole is read again in every tenth is in "slowest".
    hour, moments = LastHour(read_counts), itertools.count(time.time(), 60)
    yield f"the board's last hour of {hosts:,} hosts, all of it", time_reading(lambda: LastHour(read_counts).read())
    hour.read(next(moments))
    yield "… when only a minute is new, mostly", time_reading(lambda: hour.read(next(moments)), 20)


def main() -> None:
    """Measure everything, then print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.history", description=__doc__)
    parser.add_argument("--hosts", type=int, default=2000)
    arguments = parser.parse_args()
    call_command("migrate", verbosity=0)
    print("| what | measured |\n|---|---|", flush=True)
    for part in (
        measure_sizes(200, 1200),
        measure_writing(arguments.hosts, 130),
        measure_reading(),
        measure_board(arguments.hosts),
    ):
        for name, figure in part:
            print(f"| {name} | {figure} |", flush=True)
        Minute.objects.all().delete()
        Host.objects.all().delete()
    FOLDER.cleanup()


if __name__ == "__main__":
    main()
