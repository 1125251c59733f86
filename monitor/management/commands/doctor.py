"""`manage.py doctor`: what may be wrong here, each with its exact cure."""

import sys
from argparse import ArgumentTypeError
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from monitor.diagnosis import diagnose, everything

MOST = 65_535


class Command(BaseCommand):
    """Look at ICMP, IPv6, database, channel layer, port, clock, names and data folder."""

    help = "Say what may be wrong here, each with its exact cure. Exit code 1 where something is."
    # The doctor comes to say what is wrong: no check may keep it from the door.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the port that is to be free."""
        parser.add_argument(
            "--port", type=read_port, default=settings.PINGSITE_PORT, help="the port that is to be free"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """A line for each finding, and the cure below it."""
        findings = diagnose(everything(options["port"]))
        for finding in findings:
            mark = self.style.SUCCESS("✓") if finding.good else self.style.ERROR("✕")
            self.stdout.write(f"{mark} {finding.subject:<9} {finding.seen}")
            if finding.cure:
                self.stdout.write(f"            cure: {finding.cure}")
        if not all(finding.good for finding in findings):
            sys.exit(1)


def read_port(text: str) -> int:
    """A port typed on the command line; `ArgumentTypeError` where it is none."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= MOST):
        raise ArgumentTypeError(f"a port is a whole number from 0 to {MOST}; this is {text!r}")
    return int(text)
