"""From the first lost packet to the message's arrival at a local service, beside what a monitor that asks every 20 s can
do at best on paper: `python -m tests.bench.detection` (root: it cuts a host off in a network of its own)."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.7.7"
SILENCE = Path("/proc/sys/net/ipv4/icmp_echo_ignore_all")
# Uptime Kuma asks every 20 s at the fastest, and tells after so many retries: an outage begins anywhere in between.
KUMA_SECONDS = 20
KUMA_RETRIES = 3
PREPARE = """
import sys, django
django.setup()
from monitor.models import Channel, Host
Host.objects.create(name="cut", slug="cut", host=sys.argv[1], interval=1.0, timeout=1.0)
Channel.objects.create(name="local", kind="webhook", address=sys.argv[2], secret="s" * 64, anywhere=True)
"""


def measure() -> dict[str, Any]:
    """Watch a host, cut it off, and wait for the message; seconds, and what the incident says."""
    arrived: list[tuple[float, dict[str, Any]]] = []
    told = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            arrived.append((time.time(), json.loads(self.rfile.read(int(self.headers["content-length"])))))
            self.send_response(200)
            self.end_headers()
            told.set()

        def log_message(self, *args: Any) -> None:
            pass

    service = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        env = os.environ | {"PINGSITE_DATA": folder, "DJANGO_SETTINGS_MODULE": "pingsite.settings"}
        start = {"env": env, "cwd": ROOT}
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], check=True, **start)
        address = f"http://127.0.0.1:{service.server_port}/"
        subprocess.run([sys.executable, "-c", PREPARE, HOST, address], check=True, **start)
        watcher = subprocess.Popen([sys.executable, "manage.py", "watch"], **start)
        try:
            time.sleep(15)
            cut = time.time()
            # Nobody answers from now on; a route that swallows would refuse to send, which is not measured.
            SILENCE.write_text("1")
            if not told.wait(60):
                raise SystemExit("No message arrived within 60 s: is the courier at work in the shift?")
        finally:
            watcher.terminate()
            watcher.wait(20)
    at, payload = arrived[0]
    return {"cut_to_message_s": at - cut, "title": payload["title"], "began_at": payload["incident"]["began_at"]}


def main() -> None:
    """Measure in a network namespace, and print a line each."""
    if "--inside" not in sys.argv:
        inside = [sys.executable, "-m", "tests.bench.detection", "--inside"]
        raise SystemExit(subprocess.run(["unshare", "--net", *inside], cwd=ROOT, check=False).returncode)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    found = measure()
    least, most = KUMA_SECONDS * KUMA_RETRIES, KUMA_SECONDS * (KUMA_RETRIES + 1)
    print(f"pingsite, 1 s, 5 lost in a row: {found['cut_to_message_s']:.1f} s  ({found['title']})")
    print(f"Uptime Kuma on paper, {KUMA_SECONDS} s × {KUMA_RETRIES} retries: {least} to {most} s")


if __name__ == "__main__":
    main()
