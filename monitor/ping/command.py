"""The system's `ping` program as an engine, where no ICMP socket is permitted; its parser is pure."""

import asyncio
import functools
import itertools
import math
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from monitor.ping.clock import SECOND
from monitor.ping.course import Course
from monitor.ping.icmp import V6
from monitor.ping.reply import Reply, Status
from monitor.ping.target import Target

# With less room than this for its own time stamp, the program prints no round trip.
LEAST_SIZE = 16
# How much longer than the timeout the program may take before it is killed, and its silence not believed.
GRACE = 2.0

ANSWER = re.compile(
    r"^(?P<size>\d+) bytes from (?P<source>[0-9A-Fa-f.:]+): (?:icmp_seq=1|seq=0)\b"
    r"(?: ttl=(?P<ttl>\d+))?(?: time=(?P<time>\d+(?:\.\d+)?) ms)?(?P<marks>.*)$",
    re.ASCII | re.MULTILINE,
)
ANSWER_OF_ANY = re.compile(r"^\d+ bytes from ", re.MULTILINE)
PRECISE = re.compile(r"^r(?:tt|ound-trip) min/avg/max(?:/mdev)? = (?P<time>\d+\.\d+)/", re.ASCII | re.MULTILINE)
REFUSAL = re.compile(r"^From (?P<source>[0-9A-Fa-f.:]+?):? icmp_seq=\d+ (?P<reason>.+)$", re.ASCII | re.MULTILINE)
SENT = re.compile(r"^1 packets transmitted, ", re.MULTILINE)
DAMAGED = re.compile(r"^wrong data byte|BAD CHECKSUM|truncated", re.MULTILINE)

REASONS = {
    r"Destination Host Unreachable|Address unreachable": Status.HOST_UNREACHABLE,
    r"Destination Net Unreachable|No route": Status.NET_UNREACHABLE,
    r"Port unreachable": Status.PORT_UNREACHABLE,
    r"Destination Protocol Unreachable|Unknown header": Status.PROTOCOL_UNREACHABLE,
    r"Packet filtered|prohibited|Unknown code [56]": Status.PROHIBITED,
    r"Time to live exceeded|time exceeded": Status.TIME_EXCEEDED,
    r"Frag needed|Packet too big": Status.TOO_BIG,
    # With `-c 1` the program leaves at a redirect, before the answer that the new way may still bring.
    r"Redirect": Status.NOT_SENT,
}
FAILURES = {
    r"Network is unreachable|No route to host|Network is down|Network unreachable": Status.NO_ROUTE,
    r"send\w+: Operation not permitted|send\w+: Permission denied|check your local firewall": Status.BLOCKED,
    r"message too long": Status.TOO_BIG,
}


class CommandEngine:
    """Runs one bounded `ping` for each echo in a thread of the executor; cancelling kills it."""

    name = "command"

    def __init__(self, executor: Executor, why: str, path: str | None = None) -> None:
        self.why = why
        self._executor = executor
        self._path = path or shutil.which("ping") or "ping"
        self._runs: set[Run] = set()
        self._rows: set[asyncio.Task[None]] = set()

    async def echo(
        self,
        address: str,
        *,
        index: int = 0,
        afterwards: Callable[[Reply], None] | None = None,
        **options: Any,
    ) -> Reply:
        """Send one echo request and return what came of it; `options` are those of `Target`."""
        return await self._echo(Target(address, **options), index)

    async def _echo(self, target: Target, index: int) -> Reply:
        run = Run(build_command(self._path, target), target.options.timeout + GRACE)
        self._runs.add(run)
        try:
            asked = functools.partial(run_once, run, target, index)
            return await asyncio.get_running_loop().run_in_executor(self._executor, asked)
        finally:
            run.kill()
            self._runs.discard(run)

    async def stream(
        self, targets: Iterable[Target], *, interval: float = 1.0, count: int | None = None
    ) -> AsyncGenerator[tuple[Target, Reply], None]:
        """Ask each target every `interval` seconds, and yield each reply as it becomes known."""
        replies: asyncio.Queue[tuple[Target, Reply] | None] = asyncio.Queue()
        rows = [asyncio.create_task(self._follow(target, interval, count, replies)) for target in targets]
        running = len(rows)
        try:
            while running:
                if (item := await replies.get()) is None:
                    running -= 1
                else:
                    yield item
        finally:
            for row in rows:
                row.cancel()
            await asyncio.gather(*rows, return_exceptions=True)

    async def _follow(
        self,
        target: Target,
        interval: float,
        count: int | None,
        replies: asyncio.Queue[tuple[Target, Reply] | None],
    ) -> None:
        async def ask(index: int) -> None:
            replies.put_nowait((target, await self._echo(target, index)))

        loop = asyncio.get_running_loop()
        start = loop.time()
        async with asyncio.TaskGroup() as echoes:
            for index in itertools.count() if count is None else range(count):
                await asyncio.sleep(start + index * interval - loop.time())
                echoes.create_task(ask(index))
        replies.put_nowait(None)

    def follow(self, courses: Iterable[Course]) -> None:
        """Send the echoes of each course as they come due, until it is over or stopped; in the running loop."""
        for course in courses:
            course.start(time.monotonic_ns())
            row = asyncio.get_running_loop().create_task(self._sail(course))
            self._rows.add(row)
            row.add_done_callback(self._rows.discard)

    async def _sail(self, course: Course) -> None:
        async def ask(index: int) -> None:
            course.deliver(await self._echo(course.target, index))

        async with asyncio.TaskGroup() as echoes:
            while not course.over:
                await asyncio.sleep((course.due - time.monotonic_ns()) / SECOND)
                if course.stopped:
                    return
                flight = course.step(now := time.monotonic_ns())
                if now - flight.due > course.patience:
                    course.deliver(flight.conclude(Status.NOT_SENT))
                else:
                    echoes.create_task(ask(flight.index))

    def close(self) -> None:
        """Kill what still runs."""
        for row in self._rows:
            row.cancel()
        for run in list(self._runs):
            run.kill()


class Run:
    """One run of a program, with a bound (s), that another thread may kill before or while it runs."""

    def __init__(self, command: list[str], limit: float) -> None:
        self._command = command
        self._limit = limit
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._killed = False

    def execute(self) -> str | None:
        """Return what it printed, None if it was killed or ran out of time; `OSError` if it cannot start."""
        with self._lock:
            if self._killed:
                return None
            self._process = process = subprocess.Popen(  # noqa: S603 - a list of numbers and checked addresses, no shell
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**os.environ, "LC_ALL": "C"},
                encoding="ascii",
                errors="replace",
                process_group=0,
            )
        with process:
            try:
                output, _ = process.communicate(timeout=self._limit)
            except subprocess.TimeoutExpired:
                process.kill()
                return None
        return None if process.returncode < 0 else output

    def kill(self) -> None:
        """End it now, or before it begins."""
        with self._lock:
            self._killed = True
            if self._process is not None and self._process.poll() is None:
                self._process.kill()


def run_once(run: Run, target: Target, index: int) -> Reply:
    """Run the program and return what came of its echo."""
    sent_at, started = time.time_ns() // 1000, time.monotonic_ns()
    try:
        output = run.execute()
    except OSError:
        output = None
    if output is None:
        return Reply(index, Status.NOT_SENT, sent_at)
    return parse_output(output, target, index, sent_at, (time.monotonic_ns() - started) // 1000)


def build_command(path: str, target: Target) -> list[str]:
    """Return the program's arguments: one packet, numbers only, the address after `--`."""
    options, whole_seconds = target.options, Path(path).resolve().name == "busybox"
    timeout = str(math.ceil(options.timeout)) if whole_seconds else f"{options.timeout:.3f}"
    command = [path, "-6" if options.family == V6 else "-4", "-n", "-c", "1", "-W", timeout]
    command += ["-s", str(max(LEAST_SIZE, options.size))]
    if options.ttl is not None:
        command += ["-t", str(options.ttl)]
    if options.dscp:
        command += ["-Q", str(options.dscp << 2)]
    if options.dont_fragment:
        command += ["-M", "do"]
    if source := options.source or options.interface:
        command += ["-I", source]
    return [*command, "--", target.address]


def parse_output(text: str, target: Target, index: int, sent_at: int, elapsed_us: int) -> Reply:
    """Read what a run of the program printed; an answer from another sender is none."""
    answers = [found for found in ANSWER.finditer(text) if found["source"] == target.address]
    if answers:
        return _parse_answer(text, answers, target, Reply(index, Status.REPLY, sent_at), elapsed_us)
    if refusal := REFUSAL.search(text):
        status = _look_up(REASONS, refusal["reason"]) or Status.UNREACHABLE
        return Reply(index, status, sent_at, source=refusal["source"])
    return Reply(index, _look_up(FAILURES, text) or _judge_silence(text, target, elapsed_us), sent_at)


def _judge_silence(text: str, target: Target, elapsed_us: int) -> Status:
    if SENT.search(text) and elapsed_us >= target.options.timeout * 1_000_000:
        return Status.TIMEOUT
    # It left early: either an answer that is none satisfied it, or a firewall of this machine took the
    # packet, of which iputils says nothing.
    return Status.BLOCKED if SENT.search(text) and not ANSWER_OF_ANY.search(text) else Status.NOT_SENT


def _parse_answer(text: str, answers: list[re.Match[str]], target: Target, reply: Reply, elapsed_us: int) -> Reply:
    first, precise = answers[0], PRECISE.search(text)
    milliseconds = precise["time"] if precise and len(answers) == 1 else first["time"]
    rtt = None if milliseconds is None else round(float(milliseconds) * 1000)
    status = Status.REPLY
    # The program computes the round trip from bytes that the answer brought back: they may say anything.
    if rtt is None or rtt > elapsed_us or DAMAGED.search(text):
        status, rtt = Status.CORRUPT, None
    elif rtt > target.options.timeout * 1_000_000:
        status, rtt = Status.TIMEOUT, None
    return Reply(
        reply.index,
        status,
        reply.sent_at,
        rtt,
        ttl=int(first["ttl"]) if first["ttl"] else None,
        source=first["source"],
        size=int(first["size"]),
        duplicates=sum("DUP!" in answer["marks"] for answer in answers),
    )


def _look_up(table: dict[str, Status], text: str) -> Status | None:
    return next((status for pattern, status in table.items() if re.search(pattern, text, re.IGNORECASE)), None)
