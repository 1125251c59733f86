"""The load: sockets that press Submit at once, and what each of them saw."""

import asyncio
import contextlib
import socket
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from tests.bench.applications import Application, serve
from tests.bench.echoes import witness
from tests.bench.process import measure_cpu, measure_memory
from tests.bench.websocket import Client

LINES = 5
OPENING_AT_ONCE = 50  # below every listen backlog
OPEN_TIMEOUT = 30.0
RUN_TIMEOUT = 60.0
SETTLING = 2.0  # long enough for a batch of history to be written, and for memory to stand still


class Visitor:
    """A socket, the time of its press and the arrivals of its lines (nanoseconds since the Unix epoch)."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.client: Client
        self.pressed_at = 0
        self.lines: list[tuple[int, int]] = []  # the number that the server gave the line, its arrival
        self.others: list[str] = []
        self.ready = asyncio.Event()
        self.complete = asyncio.Event()

    async def open(self, port: int) -> None:
        """Connect and wait until the application takes events."""
        origin = f"http://127.0.0.1:{port}"
        _transport, self.client = await asyncio.get_running_loop().create_connection(
            lambda: Client(origin, self.application.path, self.hear), "127.0.0.1", port
        )
        await self.client.accepted
        if self.application.greeting:
            await self.ready.wait()

    def hear(self, text: str, arrived_at: int) -> None:
        """Keep a line; answer what has to be answered."""
        number = self.application.read_line(text)
        if number is not None:
            self.lines.append((number, arrived_at))
            if len(self.lines) == LINES:
                self.complete.set()
        elif answer := self.application.answer(text):
            self.client.send(answer)
        elif self.application.greeting and text.startswith(self.application.greeting):
            self.ready.set()
        elif len(self.others) < LINES:
            self.others.append(text)

    def press(self) -> None:
        """Press Submit."""
        self.pressed_at = time.time_ns()
        self.client.send(self.application.press)


@dataclass
class Observation:
    """What the visitors of one load saw and what it cost; seconds and bytes, pooled over the rounds."""

    sockets: int
    first: list[float] = field(default_factory=list)
    last: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    deliveries: list[float] = field(default_factory=list)  # from the reply in the kernel to the line
    cpu: list[float] = field(default_factory=list)  # of the server, per run
    load_cpu: list[float] = field(default_factory=list)  # of this process, per run
    memory: list[float] = field(default_factory=list)  # per idle socket
    expected: int = 0
    received: int = 0
    in_order: int = 0  # sockets that got exactly the lines 0, 1, 2, 3, 4 in that order
    others: set[str] = field(default_factory=set)

    def add(self, visitor: Visitor) -> None:
        """Count one visitor's lines."""
        numbers = [number for number, _at in visitor.lines]
        arrivals = [at for _number, at in visitor.lines]
        self.expected += LINES
        self.received += len(set(numbers) & set(range(LINES)))
        self.in_order += numbers == list(range(LINES))
        if arrivals:
            self.first.append((arrivals[0] - visitor.pressed_at) / 1e9)
            self.last.append((arrivals[-1] - visitor.pressed_at) / 1e9)
        self.gaps += [(after - before) / 1e9 for before, after in pairwise(arrivals)]


@contextlib.asynccontextmanager
async def open_sockets(application: Application, port: int, count: int) -> AsyncIterator[list[Visitor]]:
    """`count` open sockets; they close with the block. Raises TimeoutError after OPEN_TIMEOUT seconds."""
    visitors = [Visitor(application) for _ in range(count)]
    async with asyncio.timeout(OPEN_TIMEOUT):
        for start in range(0, count, OPENING_AT_ONCE):
            batch = visitors[start : start + OPENING_AT_ONCE]
            await asyncio.gather(*(visitor.open(port) for visitor in batch))
    try:
        yield visitors
    finally:
        for visitor in visitors:
            visitor.client.close()
        await asyncio.sleep(SETTLING)


async def press_at_once(visitors: list[Visitor]) -> None:
    """Press Submit on every socket, one straight after the other, and wait for all lines or RUN_TIMEOUT."""
    for visitor in visitors:
        visitor.press()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(RUN_TIMEOUT):
            for visitor in visitors:
                await visitor.complete.wait()


async def observe(visitors: list[Visitor], server: int, seen: Observation) -> None:
    """One load: the press, the lines, and the server's CPU until it has come to rest."""
    before, own_before = measure_cpu(server), time.process_time()
    await press_at_once(visitors)
    seen.load_cpu.append((time.process_time() - own_before) / len(visitors))
    await asyncio.sleep(SETTLING)
    seen.cpu.append((measure_cpu(server) - before) / len(visitors))
    for visitor in visitors:
        seen.add(visitor)
        seen.others.update(visitor.others)


async def observe_idle(application: Application, port: int, server: int, seen: Observation) -> None:
    """Memory of sockets that only stay open, then the load on these very sockets."""
    await asyncio.sleep(SETTLING)
    before = measure_memory(server)
    async with open_sockets(application, port, seen.sockets) as visitors:
        await asyncio.sleep(SETTLING)
        seen.memory.append((measure_memory(server) - before) / seen.sockets)
        await observe(visitors, server, seen)


async def observe_alone(application: Application, port: int, server: int, host: str, seen: Observation) -> None:
    """One socket: each line against the moment when the kernel received the reply that it tells of."""
    async with open_sockets(application, port, 1) as visitors:
        with witness(host) as heard:
            await observe(visitors, server, seen)
    lines = visitors[0].lines
    # Another program that pings the same address at the same time would make the pairs wrong.
    if heard is not None and len(heard) == len(lines):
        seen.deliveries += [(at - replied) / 1e9 for (_number, at), replied in zip(lines, heard, strict=True)]


async def run_round(application: Application, host: str, seen: dict[int, Observation]) -> None:
    """A fresh server, one run to warm it, then every size; the largest comes before those that would leave
    it memory to use again.
    """
    port, largest = find_port(), max(seen)
    with (
        tempfile.TemporaryDirectory(prefix="pingsite-bench-") as folder,
        serve(application, port, host, Path(folder)) as server,
    ):
        async with open_sockets(application, port, 1) as visitors:
            await press_at_once(visitors)
        if 1 in seen:
            await observe_alone(application, port, server, host, seen[1])
        if largest > 1:
            await observe_idle(application, port, server, seen[largest])
        for size in sorted(seen.keys() - {1, largest}):
            async with open_sockets(application, port, size) as visitors:
                await observe(visitors, server, seen[size])


def find_port() -> int:
    """A TCP port that is free on loopback now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
