"""`python -m tests.bench.judge`: what judging costs in CPU time; prints a Markdown table.

An echo a second of each host, judged by the built-in rules with a limit on the 95th percentile; the mixes are a steady
host, hosts that lose packets, one that is slow, one that is degraded all the time, and one that is down. The dry run is
of 30 days of a packet a second in a SQLite file, of a quiet host and of one that loses packets.
"""

import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

FOLDER = tempfile.TemporaryDirectory(prefix="pingsite-bench-")
os.environ["PINGSITE_DATA"] = FOLDER.name
os.environ["DJANGO_SETTINGS_MODULE"] = "pingsite.settings"

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from monitor.book import tally_minute  # noqa: E402
from monitor.health import LOST, Echo, Health, Limits, judge  # noqa: E402
from monitor.models import Host, Minute, Rules  # noqa: E402
from monitor.packing import Slots, pack  # noqa: E402
from monitor.replay import group_spells, replay  # noqa: E402
from monitor.rules import RuleBook  # noqa: E402
from monitor.tally import FIGURES  # noqa: E402

SECOND = 1_000_000
ECHOES = 20_000
HOSTS = 10_000
DAYS = 30
Draw = Callable[[random.Random], int]


def draw_lossy(share: float) -> Draw:
    """Round trips of about 12.7 ms, a share of which are lost."""
    return lambda chance: LOST if chance.random() < share else round(chance.gauss(12_700, 400))


MIXES: dict[str, tuple[Draw, Limits]] = {
    "steady": (draw_lossy(0), Limits(p95_us=38_000)),
    "0.5 % lost": (draw_lossy(0.005), Limits(p95_us=38_000)),
    "4 % lost, just allowed": (draw_lossy(0.04), Limits(p95_us=38_000)),
    "10 % lost, degraded": (draw_lossy(0.1), Limits(p95_us=38_000)),
    "30 % slow, degraded": (lambda chance: 60_000 if chance.random() < 0.3 else 12_700, Limits(p95_us=38_000)),
    "down": (lambda chance: LOST, Limits(p95_us=38_000)),
    "steady, with a rule on jitter": (draw_lossy(0), Limits(jitter_us=30_000)),
}


def time_judging(draw: Draw, limits: Limits, rounds: int = 5) -> float:
    """CPU seconds an echo, the least of several rounds: what is above that is this machine's."""
    chance, best = random.Random(1), float("inf")
    echoes = [Echo((1 + second) * SECOND, draw(chance), SECOND) for second in range(ECHOES)]
    for _ in range(rounds):
        health, began = Health(), time.process_time()
        for echo in echoes:
            health, _ = judge(health, echo, limits)
        best = min(best, (time.process_time() - began) / ECHOES)
    return best


def measure_judging() -> Iterator[tuple[str, str]]:
    """What an echo costs, and 10,000 hosts asked once a second."""
    for name, (draw, limits) in MIXES.items():
        cost = time_judging(draw, limits)
        yield (
            f"judging an echo: {name}; {HOSTS:,} such hosts at 1 s",
            f"{cost * 1e6:.2f} µs; {cost * HOSTS:.1%} of a core",
        )


def fill(host: Host, draw: Draw) -> None:
    """Keep thirty days of a host."""
    chance, this = random.Random(host.pk), int(timezone.now().timestamp()) // 60
    rows = []
    for minute in range(this - DAYS * 1440, this):
        packets = pack(Slots(250, 1000, [draw(chance) for _ in range(60)]))
        figures = dict(zip(FIGURES, tally_minute(packets).figures, strict=True))
        rows.append(Minute(host_id=host.pk, minute=minute, packets=packets, **figures))
    Minute.objects.bulk_create(rows, 1000)


def measure_replay() -> Iterator[tuple[str, str]]:
    """A dry run of thirty days."""
    for name, share in (("nothing lost", 0.0), ("0.5 % lost", 0.005), ("10 % lost", 0.1)):
        host = Host.objects.create(name=name, slug=f"host-{share}".replace(".", "-"), host="192.0.2.1")
        fill(host, draw_lossy(share))
        for more, rules in (("", Rules()), (", with a rule on jitter", Rules(jitter_ms=30))):
            now, began = timezone.now(), time.process_time()
            spells = replay(host, RuleBook(everything=rules).find(host), now - timedelta(days=DAYS), now)
            cost, number = time.process_time() - began, len(group_spells(spells))
            yield f"dry run of {DAYS} days at 1 s: {name}{more}", f"{cost:.2f} s CPU, {number} incidents"


def main() -> None:
    """Measure everything, and print the table."""
    call_command("migrate", verbosity=0)
    print("| what | measured |\n|---|---|", flush=True)
    for part in (measure_judging(), measure_replay()):
        for name, figure in part:
            print(f"| {name} | {figure} |", flush=True)
    FOLDER.cleanup()


if __name__ == "__main__":
    main()
