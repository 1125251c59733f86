"""A site with a past: hosts whose packets and incidents were written as a watcher would have written them."""

import subprocess
import sys

from tests.browser.server import ROOT, Server

PAST = """
import datetime as dt, random
from django.contrib.auth import get_user_model
from django.utils import timezone
from monitor.models import Channel, Delivery, Host, Incident, Note, Transition
from monitor.packing import Code
from tests.watch.histories import write_minutes
random.seed(5)
lo, far = Host.objects.get(name="gateway"), Host.objects.get(name="far")
now = timezone.now()
start = now.replace(second=0, microsecond=0) - dt.timedelta(minutes=60)
cut = int((start + dt.timedelta(minutes=20)).timestamp()) + 7
Host.objects.filter(pk=far.pk).update(group="Office")
def draw(second):
    if cut <= second < cut + 740: return int(Code.TIMEOUT)
    return int(Code.TIMEOUT) if random.random() < .004 else int(random.lognormvariate(9.4, .12))
write_minutes(lo, start, 59, draw)
began = dt.datetime.fromtimestamp(cut + .25, dt.UTC)
ended = began + dt.timedelta(seconds=740)
down = Incident.objects.create(host=lo, state="down", reason="lost_in_row", measure={"value": 6, "limit": 5}, news=False,
    began_at=began, noticed_at=began + dt.timedelta(seconds=5), ended_at=ended, end_noticed_at=ended, ending="recovered")
for at, state in ((began, "down"), (ended, "up")): Transition.objects.create(host=lo, at=at, state=state)
staff = get_user_model().objects.first()
Note.objects.create(incident=down, author=staff, text="The cable in the cellar was cut.\\nTicket 4711 with the provider.")
ops = Channel.objects.create(name="Ops room", kind="webhook", address="https://example.org/x", enabled=False)
for occasion in ("down", "recovered"):
    Delivery.objects.create(channel=ops, incident=down, occasion=occasion, fate="sent", outcome="200 OK", ended_at=ended)
Incident.objects.create(host=far, state="degraded", reason="loss", measure={"value": .229, "limit": .05}, news=False,
    began_at=began + dt.timedelta(seconds=60), noticed_at=began + dt.timedelta(seconds=90), ended_at=ended, ending="recovered", behind=lo)
net = Incident.objects.create(host=None, state="down", reason="network", news=False, began_at=now - dt.timedelta(days=2),
    noticed_at=now - dt.timedelta(days=2), ended_at=now - dt.timedelta(days=2) + dt.timedelta(seconds=45), ending="recovered")
for host in Host.objects.all():
    Incident.objects.create(host=host, part_of=net, state="down", reason="lost_in_row", measure={"value": 5, "limit": 5}, news=False,
        began_at=net.began_at, noticed_at=net.noticed_at, ended_at=net.ended_at, ending="recovered")
nowhere = Host.objects.get(name="nowhere")
Incident.objects.create(host=nowhere, state="down", reason="lost_in_row", measure={"value": 5, "limit": 5}, news=False,
    began_at=now - dt.timedelta(seconds=4500), noticed_at=now - dt.timedelta(seconds=4495), flapping=True)
print(down.identity)
"""
HOSTS = {"gateway": "127.0.0.1", "far": "127.0.0.2", "nowhere": "no-such-host.invalid"}


def run(server: Server, script: str) -> str:
    """What a script prints that runs beside a site, on its data."""
    command = [sys.executable, str(ROOT / "manage.py"), "shell", "--no-imports", "-c", script]
    options = {"env": server.environment, "cwd": ROOT, "timeout": 60}
    done = subprocess.run(command, check=False, capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def make_past(server: Server) -> str:
    """Give a site three hosts and their past; returns the address of the incident that has everything."""
    server.watch(HOSTS)
    return f"/incidents/{run(server, PAST)}/"
