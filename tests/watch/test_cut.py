"""A link that is cut in a network of our own: the whole program notices, records from the first lost packet, recovers."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from monitor.packing import Code
from tests.needs import need
from tests.ping.network import Truth, truth  # noqa: F401 - a fixture
from tests.watch.test_watcher import ask, values_in, wait_for

CUT = "table inet cut { chain out { type filter hook output priority 0; ip daddr 10.77.0.15 drop; }; }"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a database of one host, 15 ms away, and a channel to a local server."""
    environment = os.environ | {"PINGSITE_DATA": str(tmp_path), "DATABASE_URL": ""}
    program = (
        "import django; django.setup();"
        "from django.core.management import call_command; call_command('migrate', verbosity=0);"
        "from tests.watch.sites import watch; watch('alice', host='10.77.0.15', interval=0.5, timeout=1.0);"
        "from monitor.models import Channel;"
        "Channel.objects.create(name='hook', kind='webhook', address='http://127.0.0.1:18080/', anywhere=True)"
    )
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, cwd=settings.BASE_DIR)
    return tmp_path


@contextmanager
def watching(network: Truth, data: Path) -> Iterator[None]:
    """`manage.py watch` in that network."""
    environment = os.environ | {"PINGSITE_DATA": str(data), "DATABASE_URL": ""}
    command = [sys.executable, "-u", str(settings.BASE_DIR / "manage.py"), "watch"]
    child = network.popen(*command, env=environment, stdout=subprocess.PIPE)
    try:
        assert child.stdout.readline() == "watcher is ready\n"
        yield
    finally:
        child.terminate()
        child.wait(30)
        child.stdout.close()


class Hearing:
    """A server in that network that hears messages, and when; while it `hangs` it answers none."""

    def __init__(self, network: Truth) -> None:
        self.heard: list[tuple[float, dict[str, Any]]] = []
        self.hangs = False
        hearing, heard = self, self.heard

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                heard.append((time.time(), json.loads(body)))
                while hearing.hangs:
                    time.sleep(0.1)
                with suppress(OSError):
                    self.send_response(200)
                    self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        with network.inside():
            self.server = ThreadingHTTPServer(("127.0.0.1", 18080), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def hearing(truth: Truth) -> Iterator[Hearing]:  # noqa: F811
    """Lend a server for messages."""
    hearing = Hearing(truth)
    yield hearing
    hearing.close()


def test_a_link_that_is_cut_is_one_incident_from_the_first_lost_packet_and_one_message(
    truth: Truth,  # noqa: F811
    data: Path,
    hearing: Hearing,
) -> None:
    need("nft", root=True)
    with watching(truth, data):
        wait_for(data, "SELECT state = 'up' FROM monitor_host")
        time.sleep(2)
        truth.run("nft", CUT)
        try:
            wait_for(data, "SELECT state = 'down' FROM monitor_host")
            while not hearing.heard:
                time.sleep(0.05)
        finally:
            truth.run("nft", "delete table inet cut")
        wait_for(data, "SELECT state = 'up' FROM monitor_host")
        wait_for(data, "SELECT count(*) FROM monitor_incident WHERE ended_at IS NOT NULL")
        time.sleep(2)
    ((began, ended, state, reason),) = ask(
        data,
        "SELECT CAST(ROUND((julianday(began_at) - 2440587.5) * 86400000) AS INTEGER),"
        " CAST(ROUND((julianday(ended_at) - 2440587.5) * 86400000) AS INTEGER), state, reason FROM monitor_incident",
    )
    values = values_in(data)
    lost = [due for due, value in values if Code.BLOCKED <= value <= Code.TIMEOUT]
    assert abs(began - lost[0]) <= 2
    assert abs(ended - next(due for due, value in values if due > lost[-1] and value >= 0)) <= 2
    assert (state, reason) == ("down", "lost_in_row")
    assert len(hearing.heard) == 2, "one that it is down, and one that it is well"
    # Five lost in a row, over at least 5 s, and the timeout of the last; then a fraction of a second, if all goes well.
    assert hearing.heard[0][0] - began / 1000 < 5.0 + 1.0 + 5.0
