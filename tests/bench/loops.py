"""`python -m tests.bench.loops`: how late pings leave beside an event loop that computes; prints a Markdown table.

The loop that asks for them computes in rounds without a pause between them. It needs root, for a network namespace.
"""

import asyncio
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from monitor.ping.choice import open_engine
from monitor.ping.target import Target
from tests.bench.table import describe_machine, quantile
from tests.ping.namespaces import Namespace

ROUNDS_MS = (0, 0.01, 0.1, 0.25, 1, 2)
SIZES = (3, 300, 3000)
COUNT = 8


async def compute(piece: float) -> None:
    """Have the loop compute without a pause, in rounds of so many seconds."""
    while piece:
        until = time.perf_counter() + piece
        while time.perf_counter() < until:
            pass
        await asyncio.sleep(0)


async def measure_lateness(piece: float, hosts: int) -> dict[str, float]:
    """Ask so many hosts of the loopback once a second; times in µs, and the share of the time left for computing."""
    delays, unsent = list[int](), 0
    with ThreadPoolExecutor(1) as executor:
        engine = open_engine(executor, prefer="datagram")
        targets = [Target(f"127.{number >> 8}.{number & 255}.1") for number in range(hosts)]
        computing, began, used = asyncio.create_task(compute(piece)), time.monotonic(), time.thread_time()
        async for _, reply in engine.stream(targets, interval=1, count=COUNT):
            delays.append(reply.delay_us)
            unsent += reply.status == "not_sent"
        share = (time.thread_time() - used) / (time.monotonic() - began)
        computing.cancel()
        engine.close()
    return {"median": quantile(delays, 0.5) or 0, "p99": quantile(delays, 0.99) or 0, "unsent": unsent, "share": share}


def main() -> None:
    """Measure what is asked for, or all of it, each in a process of its own."""
    if len(sys.argv) == 3:
        print(json.dumps(asyncio.run(measure_lateness(float(sys.argv[1]) / 1000, int(sys.argv[2])))))
        return
    print(describe_machine(), f"{time.strftime('%Y-%m-%d', time.gmtime())}; {COUNT} packets a host.\n")
    print("| rounds of the loop | hosts | late, median | late, p99 | not sent | of a core for the loop |")
    print("|---|--:|--:|--:|--:|--:|")
    namespace = Namespace("loops")
    try:
        for rounds in ROUNDS_MS:
            for hosts in SIZES:
                done = namespace.run(sys.executable, "-m", "tests.bench.loops", str(rounds), str(hosts), timeout=120)
                found = json.loads(done.stdout)
                name = f"{rounds} ms, no pause" if rounds else "nothing else to do"
                late = f"{found['median'] / 1000:.1f} ms | {found['p99'] / 1000:.1f} ms"
                print(f"| {name} | {hosts:,} | {late} | {found['unsent']} | {found['share']:.0%} |", flush=True)
    finally:
        namespace.delete()


if __name__ == "__main__":
    main()
