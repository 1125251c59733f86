"""What may be wrong here: each finding with the exact line that cures it."""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from monitor.ping.host import BadHost, parse_host, resolve
from monitor.ping.permission import probe_permissions

LAYER_SECONDS = 3.0
RESOLVE_SECONDS = 3.0
# The clock was set before this was written: the year can only be wrong.
NOT_BEFORE = 1_767_225_600


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: whether it is good, what was seen, and if not, the cure."""

    subject: str
    good: bool
    seen: str
    cure: str = ""


Look = Callable[[], Finding]


def diagnose(looks: Iterable[Look]) -> list[Finding]:
    """Look at each thing; a look that fails is a finding too."""
    return [_look_safely(look) for look in looks]


def everything(port: int) -> list[Look]:
    """All that the doctor looks at."""
    return [look_at_icmp, look_at_ipv6, look_at_database, look_at_layer, partial(look_at_port, port), look_at_clock,
            look_at_names, look_at_data]  # fmt: skip


def readiness() -> list[Look]:
    """What a run cannot do without."""
    return [look_at_icmp, look_at_database, look_at_layer]


def look_at_icmp() -> Finding:
    """Whether one of the ways to ping is open."""
    permissions = probe_permissions()
    if best := next((p for p in permissions if p.permitted), None):
        return Finding("icmp", True, best.reason)
    return Finding("icmp", False, "; ".join(p.reason for p in permissions), permissions[0].cure)


def look_at_ipv6() -> Finding:
    """Whether this machine has IPv6 at all."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError as error:
        cure = "sysctl -w net.ipv6.conf.all.disable_ipv6=0"
        return Finding("ipv6", False, f"there is no IPv6 here ({error.strerror})", cure)
    return Finding("ipv6", True, "IPv6 sockets work")


def look_at_database() -> Finding:
    """Whether the database answers and has all migrations."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return Finding("database", False, str(error).strip(), "check DATABASE_URL, and that the server runs")
    if missing:
        return Finding("database", False, f"{len(missing)} migrations are missing", "manage.py migrate")
    return Finding("database", True, f"{connection.vendor} answers, all migrations are there")


def look_at_layer() -> Finding:
    """Whether a message sent to a group arrives, through Redis where that is set."""
    backend = type(get_channel_layer()).__name__
    try:
        async_to_sync(_pass_message)()
    except Exception as error:  # whatever the client library raises, it is the finding
        seen = f"no message passes through the channel layer ({error!r})"
        return Finding("layer", False, seen, "check REDIS_URL, and that Redis runs: redis-cli -u $REDIS_URL ping")
    return Finding("layer", True, f"{backend} passes messages")


def look_at_port(port: int) -> Finding:
    """Whether the port is free, or something answers there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            other = port + 1 if port < 65_535 else 8000
            return Finding("port", False, f"port {port}: {error.strerror}", f"make serve PORT={other}")
    return Finding("port", True, f"port {port} is free")


def look_at_clock() -> Finding:
    """Whether the clock can be right and runs with the monotonic one."""
    wall, steady = time.time(), time.monotonic()
    time.sleep(0.05)
    drift = (time.time() - wall) - (time.monotonic() - steady)
    if wall < NOT_BEFORE or abs(drift) > 0.01:
        return Finding("clock", False, f"the clock says {time.ctime(wall)} and jumps", "timedatectl set-ntp true")
    return Finding("clock", True, f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(wall))} UTC")


def look_at_names() -> Finding:
    """Whether the default host can be turned into an address."""
    host = settings.PINGSITE_DEFAULT_HOST
    started = time.monotonic()
    resolver = ThreadPoolExecutor(1)
    try:
        addresses = resolver.submit(resolve, parse_host(host)).result(RESOLVE_SECONDS)
    except (BadHost, TimeoutError) as error:
        cure = f"check /etc/resolv.conf: getent hosts {host}"
        return Finding("names", False, str(error) or f"{host}: no answer in 3 s", cure)
    finally:
        resolver.shutdown(wait=False)
    return Finding("names", True, f"{host} is {addresses[0]}, in {(time.monotonic() - started) * 1000:.0f} ms")


def look_at_data() -> Finding:
    """Whether the data folder is ours alone and can be written."""
    folder = Path(settings.DATA)
    if not os.access(folder, os.W_OK):
        return Finding("data", False, f"{folder} cannot be written", f"chown $(id -un) {folder}")
    if folder.stat().st_mode & 0o077:
        return Finding("data", False, f"{folder} is open to others", f"chmod 700 {folder}")
    return Finding("data", True, f"{folder} is ours alone")


async def _pass_message() -> None:
    layer = get_channel_layer()
    channel = await layer.new_channel()
    try:
        async with asyncio.timeout(LAYER_SECONDS):
            await layer.group_add("doctor", channel)
            await layer.group_send("doctor", {"type": "doctor"})
            await layer.receive(channel)
            if hasattr(layer, "ask_redis"):
                await layer.ask_redis()
    finally:
        await layer.group_discard("doctor", channel)
        layer.forget(channel)


def _look_safely(look: Look) -> Finding:
    try:
        return look()
    except Exception as error:  # a doctor that faints helps nobody
        return Finding(getattr(look, "func", look).__name__.removeprefix("look_at_"), False, repr(error), "report this")
