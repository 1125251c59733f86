"""`python -m tests.bench.watching`: hosts watched by one process, their board, and onlookers; prints a Markdown table.

One `manage.py serve` asks addresses of 127.0.0.0/8 once a second. Beside it, one after the other: nobody but a socket of
the board; a browser with the board, and with a day of a host; many sockets that look at one host.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import CDPSession, Page, async_playwright

from monitor.book import tally_minute
from monitor.packing import LOST, Slots, pack
from monitor.tally import FIGURES
from tests.bench.__main__ import raise_file_limit
from tests.bench.applications import ROOT, Pingsite, clean_environment, serve
from tests.bench.process import measure_cpu, measure_own
from tests.bench.runs import find_port
from tests.bench.table import describe_machine, quantile
from tests.bench.websocket import Client

Rows = list[tuple[str, str, str]]
SETTLING = 20.0
COLUMNS = ("host_id", "minute", "packets", *FIGURES)


class Ear:
    """A socket of /ws/watch/ and what it heard: figures of the watcher, rows of hosts, and echoes with their delay (s)
    from the answer to the arrival."""

    def __init__(self, wish: str) -> None:
        self.figures: list[dict[str, int]] = []
        self.rows = 0
        self.lines: list[tuple[int, float]] = []
        self._wish = wish
        self._client: Client

    async def open(self, port: int) -> None:
        """Connect and say what is wished."""
        _, self._client = await asyncio.get_running_loop().create_connection(
            lambda: Client(f"http://127.0.0.1:{port}", "/ws/watch/", self._hear), "127.0.0.1", port
        )
        await self._client.accepted
        self._client.send(self._wish)

    def close(self) -> None:
        """Go away."""
        self._client.close()

    def _hear(self, text: str, arrived_at: int) -> None:
        event = json.loads(text)
        if event["event"] == "line":
            answered = event["t"] * 1000 + event["us"] if isinstance(event["us"], int) else None
            if answered:
                self.lines.append((event["number"], arrived_at / 1e9 - answered / 1e6))
        elif event["event"] == "hosts":
            self.rows += len(event["rows"])
            if event.get("figures"):
                self.figures.append(event["figures"])


BOARD = '{"event": "subscribe", "hosts": "all", "lines": null, "faster": false}'
LINES = '{"event": "subscribe", "hosts": [], "lines": %d, "faster": false}'


def load_hosts(data: Path, hosts: int) -> None:
    """Have the site watch so many hosts."""
    names = [f"127.0.{1 + place // 250}.{1 + place % 250}" for place in range(hosts)]
    tables = [f'[[hosts]]\nname = "host {place}"\nhost = "{name}"\n' for place, name in enumerate(names)]
    file = data / "hosts.toml"
    file.write_text("\n".join(tables))
    environment = clean_environment() | {"PINGSITE_DATA": str(data)}
    command = [sys.executable, "manage.py", "load", str(file)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)


def fill_history(data: Path) -> int:
    """Give all hosts an hour of minutes, and the first one a day; the number of the first."""
    chance, this = random.Random(1), int(time.time()) // 60
    with contextlib.closing(sqlite3.connect(data / "pingsite.sqlite3", timeout=20)) as database, database:
        hosts = [host for (host,) in database.execute("SELECT id FROM monitor_host ORDER BY id")]
        wanted = [(host, minute) for host in hosts for minute in range(this - 60, this - 1)]
        wanted += [(hosts[0], minute) for minute in range(this - 1440, this - 60)]
        kinds = [_make_minute(chance) for _ in range(50)]
        marks = ", ".join("?" * len(COLUMNS))
        statement = f"INSERT OR IGNORE INTO monitor_minute ({', '.join(COLUMNS)}) VALUES ({marks})"
        database.executemany(statement, [(*key, *chance.choice(kinds)) for key in wanted])
    return hosts[0]


def _make_minute(chance: random.Random) -> tuple[object, ...]:
    values = [LOST if chance.random() < 0.005 else round(chance.gauss(12_700, 400)) for _ in range(60)]
    packets = pack(Slots(250, 1000, values))
    return packets, *tally_minute(packets).figures


def count_packets(data: Path, minute: int) -> int:
    """How many packets of a minute are written with an answer."""
    with contextlib.closing(sqlite3.connect(data / "pingsite.sqlite3", timeout=20)) as database:
        rows = database.execute("SELECT packets FROM monitor_minute WHERE minute = ?", [minute]).fetchall()
    return sum(tally_minute(packets).received for (packets,) in rows)


async def measure_watching(data: Path, port: int, pid: int, hosts: int, seconds: int) -> Rows:
    """Lateness, the processor's time, and whether all is written and told."""
    ear = Ear(BOARD)
    await ear.open(port)
    # From the turn of a minute on, so that whole minutes are counted.
    await asyncio.sleep(60 - time.time() % 60)
    minute, ear.rows = int(time.time()) // 60, 0
    ear.figures.clear()
    began, cpu = time.monotonic(), measure_cpu(pid)
    await asyncio.sleep(seconds)
    share = (measure_cpu(pid) - cpu) / (time.monotonic() - began)
    told = ear.rows / hosts / (time.monotonic() - began)
    ear.close()
    await asyncio.sleep(5)
    written = sum(count_packets(data, minute + place) for place in range(seconds // 60))
    late = [figures["late_us"] / 1000 for figures in ear.figures]
    return [
        (
            f"{hosts:,} hosts × 1 s: lateness, p99",
            f"{quantile(late, 0.5):.1f} ms (worst 5 s {max(late):.1f})",
            "≤ 10 ms",
        ),
        ("CPU in all, share of a core", f"{share:.0%}", "< 100 %"),
        ("packets written", f"{written:,} of {hosts * seconds:,}", "all"),
        ("changes told on the board, a host and second", f"{told:.2f}", "1"),
    ]


async def measure_browser(port: int, path: str, seconds: int) -> Rows:
    """The first paint of the board, its cost while live, and the drawing of a day."""
    async with open_browser() as (page, session):
        paints = [await read_paint(page, f"http://127.0.0.1:{port}/") for _ in range(5)]
        await asyncio.sleep(10)
        before, own = await read_tasks(session), measure_chromium()
        await asyncio.sleep(seconds)
        tasks = (await read_tasks(session) - before) / seconds
        processes = (measure_chromium() - own) / seconds
        await page.goto(f"http://127.0.0.1:{port}{path}?range=1h")
        await page.locator("#resolution", has_text="Each").wait_for()
        await asyncio.sleep(3)
        before = await read_tasks(session)
        await page.click("[data-range='24h']")
        await page.locator("#resolution", has_text="min").wait_for()
        await asyncio.sleep(0.5)
        day = (await read_tasks(session) - before) * 1000
    return [
        ("the board's first paint", f"{quantile(paints, 0.5):.0f} ms (first {paints[0]:.0f})", "≤ 1 s"),
        (
            "the board live, the page's share of a core",
            f"{tasks:.1%} (all of Chromium's processes {processes:.1%})",
            "≤ 5 %",
        ),
        ("a day of one host in the browser, all its work", f"{day:.0f} ms", "≤ 100 ms"),
    ]


@contextlib.asynccontextmanager
async def open_browser() -> AsyncIterator[tuple[Page, CDPSession]]:
    """A page of the system's Chromium, and a session that asks for its figures."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page()
        session = await page.context.new_cdp_session(page)
        await session.send("Performance.enable")
        yield page, session
        await browser.close()


async def read_paint(page: Page, url: str) -> float:
    """When something was first to be seen (ms after the address was entered)."""
    await page.goto(url)
    await asyncio.sleep(3)
    return float(await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))


async def read_tasks(session: CDPSession) -> float:
    """Seconds that the page's thread has worked."""
    metrics = (await session.send("Performance.getMetrics"))["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))


def measure_chromium() -> float:
    """CPU seconds of all that this process has started, the browser."""
    return measure_cpu(os.getpid()) - measure_own(os.getpid())


async def measure_onlookers(port: int, host: int, number: int, seconds: int) -> Rows:
    """How many of one host's echoes reach all who look, and when."""
    ears = [Ear(LINES % host) for _ in range(number)]
    for place in range(0, number, 50):
        await asyncio.gather(*[ear.open(port) for ear in ears[place : place + 50]])
    await asyncio.sleep(5)
    for ear in ears:
        ear.lines.clear()
    await asyncio.sleep(seconds)
    for ear in ears:
        ear.close()
    seen = [[line for line, _ in ear.lines] for ear in ears]
    # The first and the last may be on their way when counting begins and ends.
    first, last = max(each[0] for each in seen), min(each[-1] for each in seen)
    expected = (last - first + 1) * number
    received = sum(first <= line <= last for each in seen for line in each)
    delays = [delay * 1000 for ear in ears for _, delay in ear.lines]
    return [
        (f"{number:,} onlookers of one host: delivered", f"{received:,} of {expected:,}", "all"),
        (
            "from the answer to the onlooker, p99",
            f"{quantile(delays, 0.99):.0f} ms (median {quantile(delays, 0.5):.0f})",
            "≤ 150 ms",
        ),
    ]


async def measure(arguments: argparse.Namespace) -> AsyncIterator[Rows]:
    """Everything, with one server."""
    with tempfile.TemporaryDirectory(prefix="pingsite-bench-") as folder:
        port, data = find_port(), Path(folder, "data")
        with serve(Pingsite(), port, "127.0.0.1", Path(folder)) as pid:
            load_hosts(data, arguments.hosts)
            host = fill_history(data)
            await asyncio.sleep(SETTLING)
            yield await measure_watching(data, port, pid, arguments.hosts, arguments.seconds)
            if shutil.which("chromium"):
                yield await measure_browser(port, "/hosts/host-0/", 20)
            yield await measure_onlookers(port, host, arguments.onlookers, 20)


async def main() -> None:
    """Measure, and print the table as it grows."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.watching", description=__doc__)
    parser.add_argument("--hosts", type=int, default=2000)
    parser.add_argument("--onlookers", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=60, help="whole minutes")
    arguments = parser.parse_args()
    raise_file_limit(arguments.onlookers)
    print(
        describe_machine(("django", "channels", "daphne")) + "\n\n| watching | measured | aim |\n|---|---|---|",
        flush=True,
    )
    async for rows in measure(arguments):
        for row in rows:
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
