"""`manage.py ping HOST`: the library of the page in a terminal, with the output and exit codes of ping(8)."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from monitor.ping import PingForbidden, Summary, Target, format_line, format_summary, open_engine
from monitor.ping.host import BadHost, parse_host, resolve


class Command(BaseCommand):
    """Pings a host and prints what comes back; it needs no database."""

    help = "Ping a host and print what comes back, as ping(8) does."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options that ping(8) has."""
        parser.add_argument("host")
        parser.add_argument("-c", dest="count", type=int, help="stop after so many; without it, at Ctrl-C")
        parser.add_argument("-i", dest="interval", type=float, default=1.0, help="seconds between two")
        parser.add_argument("-W", dest="timeout", type=float, default=1.0, help="seconds an answer may take")
        parser.add_argument("-s", dest="size", type=int, default=56, help="bytes of payload")
        parser.add_argument("--ttl", "-t", type=int, help="time to live, or hop limit")
        family = parser.add_mutually_exclusive_group()
        family.add_argument("-4", dest="family", action="store_const", const="4", default="auto")
        family.add_argument("-6", dest="family", action="store_const", const="6")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ping until the count or Ctrl-C; exit with 0 for an answer, 1 for none, 2 for an error."""
        summary = Summary()
        target = self._find_target(options)
        try:
            asyncio.run(self._ping(target, summary, options))
        except KeyboardInterrupt:
            pass
        except PingForbidden as error:
            raise CommandError(f"{error}\nThis permits it:\n{error.cure}", returncode=2) from None
        self.stdout.write(f"\n{format_summary(summary, options['host'])}")
        if not summary.received:
            sys.exit(1)

    def _find_target(self, options: dict[str, Any]) -> Target:
        if options["interval"] < 0.01 or (options["count"] is not None and options["count"] < 1):
            raise CommandError("-i is at least 0.01 and -c at least 1", returncode=2)
        try:
            address = resolve(parse_host(options["host"]), options["family"])[0]
            return Target(address, options["timeout"], options["size"], options["ttl"])
        except (BadHost, ValueError) as error:
            raise CommandError(str(error), returncode=2) from None

    async def _ping(self, target: Target, summary: Summary, options: dict[str, Any]) -> None:
        self.stdout.write(f"PING {options['host']} ({target.address}) {target.size} data bytes")
        with ThreadPoolExecutor(8) as executor:
            engine = open_engine(executor)
            try:
                async for _, reply in engine.stream(
                    [target], interval=options["interval"], count=options["count"]
                ):
                    summary.add(reply)
                    self.stdout.write(format_line(reply, target.address))
                    self.stdout.flush()
            finally:
                engine.close()
