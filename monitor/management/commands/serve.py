"""`manage.py serve`: the whole site in one process."""

import errno
import socket
import sys
from typing import Any

from daphne.endpoints import build_endpoint_description_strings
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from monitor.diagnosis import look_at_icmp
from monitor.history import settle_abandoned
from monitor.management.commands.doctor import MOST, read_port
from monitor.models import Run
from monitor.watcher import Watcher
from pingsite.asgi import application
from pingsite.server import Server

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Command(BaseCommand):
    """Prepare, look, and serve."""

    help = "Serve the site in one process: daphne, SQLite and an in-memory channel layer unless set otherwise."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the address to listen on."""
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
        parser.add_argument("--port", type=read_port, default=settings.PINGSITE_PORT, help="the port to listen on")

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        """Serve until told to stop."""
        if settings.PINGSITE_LOCAL and host not in LOOPBACK:
            raise CommandError(
                f"To listen on {host}, say which origins the site is reached by, "
                "for example PINGSITE_ORIGINS=https://ping.example.org."
            )
        check_port(host, port)
        call_command("prepare", stdout=self.stdout)
        if not settings.REDIS_URL:
            # This process will be the whole site: a run that is said to go on is one that a crash cut short.
            settle_abandoned(Run.objects.going(timezone.now()))
        icmp = look_at_icmp()
        if not icmp.good:
            self.stderr.write(f"This server may not ping: {icmp.seen}. To permit it: {icmp.cure}")
        application.watcher = Watcher()
        server: Server = Server(
            application,
            build_endpoint_description_strings(host=host, port=port),
            ready_callable=lambda: self.announce(host, server.listening_addresses[0][1]),
            ping_interval=15,
            websocket_max_message_size=1 << 16,
            websocket_max_frame_size=1 << 16,
            http_timeout=75,
        )
        server.run()
        if server.abort_start:
            sys.exit(1)

    def announce(self, host: str, port: int) -> None:
        """The one line that says where to look; the port is the one really bound, which 0 leaves to the system."""
        shown = f"[{host}]" if ":" in host else host
        self.stdout.write(f"pingsite is ready: http://{shown}:{port}/home  (Ctrl-C ends it)")
        self.stdout.flush()


def check_port(host: str, port: int) -> None:
    """Complain before anything is done where the port cannot be had; daphne would exit with 0."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            busy = getattr(error, "errno", None) == errno.EADDRINUSE
            hint = f" Try another: make serve PORT={port + 1 if port < MOST else port - 1}" if busy else ""
            raise CommandError(f"Port {port} of {host} cannot be listened on: {error}.{hint}") from None
