"""`manage.py ping HOST…`: the library of the page in a terminal, with the output and exit codes of ping(8)."""

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from monitor.ping import PingForbidden, Target, open_engine
from monitor.ping.host import BadHost, Policy, check_addresses, parse_host, resolve
from monitor.ping.report import Csv, JsonLines, Lines, Report, Row
from monitor.ping.table import LiveTable

THREADS = 16
LONGEST_LOOKUP = 3.0
SHORTEST_INTERVAL = 0.002


class Command(BaseCommand):
    """Pings hosts and prints what comes back; it needs no database."""

    help = "Ping hosts and print what comes back, as ping(8) does; of several, a live table with the worst first."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options, named as those of ping(8)."""
        parser.add_argument("hosts", nargs="+", metavar="HOST")
        parser.add_argument("-c", dest="count", type=int, help="stop after so many; without it, at Ctrl-C")
        parser.add_argument("-i", dest="interval", type=float, default=1.0, help="seconds between two")
        parser.add_argument("-W", dest="timeout", type=float, default=1.0, help="seconds an answer may take")
        parser.add_argument("-s", dest="size", type=int, default=56, help="bytes of payload")
        parser.add_argument("-t", "--ttl", type=int, help="time to live, or hop limit")
        family = parser.add_mutually_exclusive_group()
        family.add_argument("-4", dest="family", action="store_const", const="4", default="auto")
        family.add_argument("-6", dest="family", action="store_const", const="6")
        output = parser.add_mutually_exclusive_group()
        output.add_argument("--json", dest="report", action="store_const", const=JsonLines, help="JSON lines")
        output.add_argument("--csv", dest="report", action="store_const", const=Csv, help="comma-separated values")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ping until the count or Ctrl-C; exit with 0 if every host answered, 1 if one did not, 2 for an error."""
        check_pace(options["count"], options["interval"])
        rows = find_rows(options)
        report = choose_report(options["report"], rows)
        try:
            asyncio.run(ping(rows, report, options["interval"], options["count"]))
        except KeyboardInterrupt:
            pass
        except PingForbidden as error:
            raise CommandError(f"{error}\nThis permits it:\n{error.cure}", returncode=2) from None
        except BrokenPipeError:
            # Whoever read our lines is gone, as head(1) goes; Python would complain of it once more at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        if not all(row.summary.received for row in rows):
            sys.exit(1)


def check_pace(count: int | None, interval: float) -> None:
    """Refuse numbers that make no sense."""
    if count is not None and count < 1:
        raise CommandError(f"-c is at least 1, not {count}", returncode=2)
    if not SHORTEST_INTERVAL <= interval <= 86_400:
        raise CommandError(f"-i is {SHORTEST_INTERVAL} to 86400 seconds, not {interval}", returncode=2)


def find_rows(options: dict[str, Any]) -> list[Row]:
    """Return a row for each host, all looked up at the same time; a name that is none ends it."""
    with ThreadPoolExecutor(THREADS) as executor:
        try:
            names = [parse_host(host) for host in options["hosts"]]
            found = [executor.submit(resolve, name, options["family"]) for name in names]
            addresses = [check_addresses(lookup.result(LONGEST_LOOKUP), Policy.UNICAST) for lookup in found]
            return [
                Row(host, Target(address, options["timeout"], options["size"], options["ttl"]))
                for host, address in zip(options["hosts"], addresses, strict=True)
            ]
        except TimeoutError:
            executor.shutdown(wait=False, cancel_futures=True)
            raise CommandError(f"No name server answered within {LONGEST_LOOKUP:.0f} s.", returncode=2) from None
        except (BadHost, ValueError) as error:
            raise CommandError(str(error), returncode=2) from None


def choose_report(chosen: type[JsonLines | Csv] | None, rows: list[Row]) -> Report:
    """Return the report that was asked for: of itself a table for several hosts in a terminal, else lines."""
    if chosen is not None:
        return chosen()
    return LiveTable() if len(rows) > 1 and sys.stdout.isatty() else Lines()


async def ping(rows: list[Row], report: Report, interval: float, count: int | None) -> None:
    """Ping the hosts of all rows and report each reply, and at the end, however it comes, what they came to."""
    rows_by_target = {id(row.target): row for row in rows}
    with ThreadPoolExecutor(THREADS) as executor:
        engine = open_engine(executor)
        report.begin(rows)
        try:
            async for target, reply in engine.stream([row.target for row in rows], interval=interval, count=count):
                row = rows_by_target[id(target)]
                row.add(reply)
                report.show(row, reply)
        finally:
            engine.close()
            report.end(rows)
