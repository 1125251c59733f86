"""`python -m tests.bench.engine`: the engine beside fping, icmplib and ping(8); prints three Markdown tables.

Cost: many hosts of a loopback asked once a second. Truth: round trips of a network whose delays are known,
while a second task keeps the process busy. Size: memory for each host. It needs root, for network namespaces.
"""

import argparse
import asyncio
import gc
import json
import resource
import shutil
import socket
import subprocess
import sys
import threading
import time
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import MethodType
from typing import Any

import icmplib

from monitor.ping.arrival import SO_TIMESTAMPNS
from monitor.ping.choice import open_engine
from monitor.ping.course import Course, spread_evenly
from monitor.ping.engine import SocketEngine
from monitor.ping.reply import Reply
from monitor.ping.summary import Summary
from monitor.ping.target import Target
from tests.bench.echoes import Tap
from tests.bench.table import describe_machine, quantile
from tests.ping.namespaces import Namespace, Truth
from tests.ping.responder import DEVICE

ROUNDS = 5
SINGLE_PINGS = 200
DELAYS_MS = (1, 10, 100)
ECHOES, FEW = 50, 1000
Result = dict[str, float]


def list_hosts(count: int) -> Iterator[str]:
    """Yield so many addresses of the loopback."""
    return (f"127.{number >> 16}.{number >> 8 & 255}.{number & 255}" for number in range(1, count + 1))


def cpu_seconds(whose: int) -> float:
    """Return the processor time of this process or of its finished children."""
    usage = resource.getrusage(whose)
    return usage.ru_utime + usage.ru_stime


@contextmanager
def opened(kind: str) -> Iterator[SocketEngine]:
    """Open an engine of this kind, for a while."""
    with ThreadPoolExecutor(2) as executor:
        engine = open_engine(executor, prefer=kind)
        if not isinstance(engine, SocketEngine):
            raise SystemExit(engine.why)
        yield engine
        engine.close()


def time_turns(engine: SocketEngine) -> "array[int]":
    """Return an array that fills with how long (µs) each turn of the engine's loop is at work."""
    wait, turns, began = engine._wait, array("I"), 0

    def timed_wait() -> tuple[int, list[tuple[int, int]] | None]:
        nonlocal began
        if began:
            turns.append((time.monotonic_ns() - began) // 1000)
        waited = wait()
        began = time.monotonic_ns()
        return waited

    engine._wait = timed_wait  # type: ignore[method-assign]
    return turns


def ask_many(kind: str, count: int) -> Result:
    """Ask so many hosts once a second, summaries of all included; times in µs, memory in bytes a host. `turn` is how long
    the loop is at work until it rests, at p99; `longest` the longest time of that."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    done, delays = threading.Event(), array("I")

    def deliver(summary: Summary, reply: Reply) -> None:
        summary.add(reply)
        delays.append(reply.delay_us)
        if len(delays) == count * ROUNDS:
            done.set()

    summaries = [Summary() for _ in range(count)]
    courses = [
        Course(Target(host), MethodType(deliver, summary), count=ROUNDS)
        for host, summary in zip(list_hosts(count), summaries, strict=True)
    ]
    spread_evenly(courses)
    # As a watcher does when it has loaded its hosts.
    gc.collect()
    gc.freeze()
    with opened(kind) as engine:
        turns = time_turns(engine)
        started = cpu_seconds(resource.RUSAGE_SELF)
        engine.follow(courses)
        done.wait()
        spent = cpu_seconds(resource.RUSAGE_SELF) - started
    whole = Summary()
    for summary in summaries:
        whole.merge(summary)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    result = {
        "cpu": spent * 1e6 / max(1, whole.sent),
        "late": quantile(delays, 0.99) or 0,
        "turn": quantile(turns, 0.99) or 0,
        "longest": max(turns),
        "lost": whole.lost,
        "unsent": whole.not_sent,
        "rtt": whole.median_us or 0,
    }
    # Of a few hosts it is less than a page of memory.
    return result if count < FEW else result | {"memory": memory * 1024 / count}


def ask_many_with_icmplib(kind: str, count: int) -> Result:
    """Ask so many hosts once with icmplib, all at the same time as it does."""
    started = cpu_seconds(resource.RUSAGE_SELF)
    hosts = icmplib.multiping(
        list(list_hosts(count)), count=1, timeout=5, concurrent_tasks=200, privileged=kind == "raw"
    )
    spent = cpu_seconds(resource.RUSAGE_SELF) - started
    return {
        "cpu": spent * 1e6 / count,
        "lost": sum(not host.is_alive for host in hosts),
        "rtt": (quantile([host.avg_rtt for host in hosts], 0.5) or 0) * 1000,
    }


def measure_truth(kind: str, clock: str) -> dict[str, list[float]]:
    """Return the errors (µs) of round trips while another task computes without a pause: beyond what the address says,
    by that, and beyond what passed at the device, by that and "device"."""

    async def measure() -> dict[str, list[float]]:
        seen: list[tuple[Target, Reply]] = []
        with opened(kind) as engine:
            if clock == "process":
                for carrier in engine._carriers.values():
                    carrier._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 0)
            tap, busy = Tap(DEVICE), asyncio.create_task(compute())
            targets = [Target(f"10.77.0.{delay}") for delay in DELAYS_MS]
            async for target, reply in engine.stream(targets, interval=0.2, count=ECHOES):
                seen.append((target, reply))
            busy.cancel()
        took, errors = tap.measure(), defaultdict[str, list[float]](list)
        for target, reply in seen:
            delay, at_device = target.address.rpartition(".")[2], took.get((target.address, reply.index + 1))
            if reply.rtt_us is not None and at_device is not None:
                errors[delay].append(abs(reply.rtt_us - int(delay) * 1000))
                errors[f"{delay} device"].append(abs(reply.rtt_us - at_device))
        return errors

    return asyncio.run(measure())


async def compute() -> None:
    """Keep the interpreter busy, in pieces of some milliseconds."""
    while True:
        sum(number * number for number in range(30_000))
        await asyncio.sleep(0)


def run_fping(namespace: Namespace, count: int, spread: float = 1) -> Result:
    """Ask so many hosts once a second with fping, within `spread` seconds; nothing if it gave up."""
    gap = f"{max(0.001, 1000 * spread / count):.3f}"
    started = cpu_seconds(resource.RUSAGE_CHILDREN)
    done = namespace.run(
        *("fping", "-q", "-i", gap, "-p", "1000", "-c", str(ROUNDS), "-f", "-"),
        input="\n".join(list_hosts(count)),
        check=False,
        timeout=600,
    )
    spent = cpu_seconds(resource.RUSAGE_CHILDREN) - started
    if "fping error" in done.stderr:
        return {}
    whole = done.stderr.count(f"= {ROUNDS}/{ROUNDS}/0%")
    return {"cpu": spent * 1e6 / (count * ROUNDS), "lost": (count - whole) * ROUNDS}


def run_ping(namespace: Namespace) -> Result:
    """Run the ping program once for each packet."""
    loop = f"for n in $(seq {SINGLE_PINGS}); do ping -n -q -c 1 127.0.0.1 >/dev/null; done"
    started = cpu_seconds(resource.RUSAGE_CHILDREN)
    namespace.run("sh", "-c", loop, timeout=600)
    return {"cpu": (cpu_seconds(resource.RUSAGE_CHILDREN) - started) * 1e6 / SINGLE_PINGS}


def run_here(namespace: Namespace, *arguments: str) -> Any:
    """Run a measurement of this module in a fresh process in a namespace."""
    done = namespace.run(sys.executable, "-m", "tests.bench.engine", *arguments, timeout=900)
    return json.loads(done.stdout)


def print_cost(namespace: Namespace, sizes: list[int]) -> None:
    """Print what a packet costs."""
    rows: list[tuple[str, int, Result]] = []
    for size in sizes:
        rows += [(f"ours, {kind}", size, run_here(namespace, "many", kind, str(size))) for kind in ("datagram", "raw")]
        if shutil.which("fping"):
            result = run_fping(namespace, size)
            rows.append(("fping" if result else "fping, which gave up", size, result))
            # Most of what it takes goes into its pauses between packets.
            rows.append(("fping, in bursts", size, run_fping(namespace, size, spread=0.1)))
    rows.append(("icmplib", 1000, run_here(namespace, "icmplib", "datagram", "1000")))
    rows.append(("`ping -c 1`", SINGLE_PINGS, run_ping(namespace)))
    print(
        "| program | hosts | CPU a packet | late p99 | turn p99 | longest turn | lost | not sent | median round trip | memory a host |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for name, size, result in rows:
        cells = [
            show(result, "cpu", 1, "µs"),
            show(result, "late", 1000, "ms"),
            show(result, "turn", 1000, "ms"),
            show(result, "longest", 1000, "ms"),
            show(result, "lost", 1, ""),
            show(result, "unsent", 1, ""),
            show(result, "rtt", 1, "µs"),
            show(result, "memory", 1, "B"),
        ]
        print(f"| {name} | {size:,} | {' | '.join(cells)} |", flush=True)


def print_truth() -> None:
    """Print how far round trips are from the truth in a busy process."""
    truth, ways = Truth(), [("datagram", "kernel"), ("raw", "kernel"), ("datagram", "process")]
    try:
        measured = {f"{kind}, {clock}": run_here(truth, "truth", kind, clock) for kind, clock in ways}
    finally:
        truth.delete()
    print(
        "\n| error of the round trip, busy process | p50 | p99 | beyond the device, p50 | p99 |\n|---|--:|--:|--:|--:|"
    )
    for way, errors in measured.items():
        for delay in map(str, DELAYS_MS):
            whole, ours = errors[delay], errors[f"{delay} device"]
            cells = [
                f"{(quantile(values, share) or 0) / 1000:.3f} ms" for values in (whole, ours) for share in (0.5, 0.99)
            ]
            print(f"| {way}'s clock, {delay} ms | {' | '.join(cells)} |", flush=True)


def show(result: Result, name: str, divisor: float, unit: str) -> str:
    """Return a cell of the table, a dash for what was not measured."""
    return f"{result[name] / divisor:,.4g} {unit}".strip() if name in result else "–"


def main() -> None:
    """Run one measurement, if its name is given, else all of them, and print the tables."""
    measurements: dict[str, Callable[[str, Any], Any]] = {
        "many": lambda kind, count: ask_many(kind, int(count)),
        "icmplib": lambda kind, count: ask_many_with_icmplib(kind, int(count)),
        "truth": measure_truth,
    }
    if len(sys.argv) == 4 and sys.argv[1] in measurements:
        print(json.dumps(measurements[sys.argv[1]](*sys.argv[2:])))
        return
    parser = argparse.ArgumentParser(prog="python -m tests.bench.engine", description=__doc__)
    parser.add_argument("--hosts", type=int, nargs="+", default=[100, 1_000, 10_000, 50_000], metavar="N")
    sizes = parser.parse_args().hosts
    print(describe_machine(), f"{time.strftime('%Y-%m-%d', time.gmtime())}; {ROUNDS} rounds, a second apart.\n")
    namespace = Namespace("bench")
    try:
        print_cost(namespace, sizes)
    finally:
        namespace.delete()
    print_truth()


if __name__ == "__main__":
    try:
        main()
    except subprocess.TimeoutExpired as slow:
        sys.exit(f"{slow.cmd} took too long")
