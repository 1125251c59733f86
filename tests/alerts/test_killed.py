"""A watcher that is killed between "recorded" and "sent": real processes on a database of their own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.alerts.services import Service, service
from tests.browser.server import ROOT

__all__ = ["service"]

BEGIN = """
import asyncio, os, signal, sys
import django
django.setup()
from django.utils import timezone
from asgiref.sync import sync_to_async
from monitor.alerts import plan
from monitor.courier import Courier
from monitor.models import Channel, Delivery, Host, Incident
async def call(work):
    return await sync_to_async(work)()
def die():
    os.kill(os.getpid(), signal.SIGKILL)
"""
RECORD = """
Channel.objects.create(name="ops", kind="apprise", address=sys.argv[1], anywhere=True)
host = Host.objects.create(name="gateway", slug="gateway", host="127.0.0.1")
now = timezone.now()
Incident.objects.create(host=host, state="down", reason="lost_in_row", measure={"value": 5}, began_at=now, noticed_at=now)
"""
WORK = """
async def work():
    await call(lambda: plan(timezone.now(), storm=False))
    courier = Courier(call)
    task = asyncio.create_task(courier.work())
    while await call(Delivery.objects.filter(ended_at=None).exists):
        await asyncio.sleep(0.1)
    await asyncio.sleep(2)
    task.cancel()
    await asyncio.wait([task])
asyncio.run(work())
"""


def run(folder: Path, script: str, *args: str) -> int:
    """The exit code of a process of the site."""
    env = os.environ | {"PINGSITE_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "pingsite.settings"}
    return subprocess.run(
        [sys.executable, "-c", BEGIN + script, *args], env=env, cwd=ROOT, timeout=90, check=False
    ).returncode


def migrate(folder: Path) -> None:
    """A database with its tables."""
    env = os.environ | {"PINGSITE_DATA": str(folder)}
    command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"]
    subprocess.run(command, env=env, cwd=ROOT, check=True, timeout=120)


def test_killed_between_recorded_and_planned_or_sent_it_is_told_exactly_once(tmp_path: Path, service: Service) -> None:
    migrate(tmp_path)
    assert run(tmp_path, RECORD + "die()", service.url("json")) == -signal.SIGKILL
    assert run(tmp_path, "plan(timezone.now(), storm=False); die()") == -signal.SIGKILL
    assert service.got == []
    assert run(tmp_path, WORK) == 0
    assert run(tmp_path, WORK) == 0
    assert [title.split(" since")[0] for title in service.titles] == ["✕ gateway is down"]
