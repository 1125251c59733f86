"""A database of a release that knew no incidents becomes one of today: its history is there, and none of it rewritten."""

import datetime as dt
import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from monitor.book import tally_minute
from monitor.incidents import record
from monitor.models import Host, Hour, Incident, Minute
from monitor.packing import Code, Slots, pack
from monitor.report import read_report
from monitor.resumption import resume
from monitor.rulings import Rulings
from monitor.series import read_series
from monitor.tally import FIGURES
from monitor.watched import Watched

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE = ("monitor", "0005_run_late")
# What is large: a row a minute or a packet, of months and years.
LARGE = ("monitor_minute", "monitor_hour", "monitor_ping", "monitor_run")
KEPT = 30


@pytest.fixture
def before() -> Iterator[Any]:
    """The models as they were before incidents, on tables as they were."""
    executor = MigrationExecutor(connection)
    executor.migrate([BEFORE])
    yield executor.loader.project_state([BEFORE]).apps
    migrate()


def migrate() -> None:
    """Come to the newest."""
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def test_no_migration_since_then_touches_a_large_table() -> None:
    nodes = MigrationExecutor(connection).loader.graph.nodes
    later = [name for app, name in nodes if app == "monitor" and name > BEFORE[1]]
    assert later
    for name in later:
        said = io.StringIO()
        call_command("sqlmigrate", "monitor", name, stdout=said)
        assert not [table for table in LARGE if f'"{table}"' in said.getvalue()], name


def keep(before: Any, now: dt.datetime, name: str, value: int, **fields: Any) -> tuple[int, list[tuple[int, bytes]]]:
    """A host with half an hour of history, up to the minute that is over, as that release kept it; its minutes."""
    host = before.get_model("monitor", "Host").objects.create(name=name, slug=name, host="192.0.2.1", **fields)
    kept = []
    for minute in range(int(now.timestamp()) // 60 - KEPT, int(now.timestamp()) // 60):
        packets = pack(Slots(250, 1000, [value] * 60))
        figures = dict(zip(FIGURES, tally_minute(packets).figures, strict=True))
        before.get_model("monitor", "Minute").objects.create(host_id=host.pk, minute=minute, packets=packets, **figures)
        kept.append((minute, packets))
    before.get_model("monitor", "Hour").objects.create(host_id=host.pk, hour=kept[0][0] // 60 - 9000, sum_us=7, sent=1)
    return host.pk, kept


def test_the_history_is_there_and_who_was_down_and_told_to_nobody_is_an_incident(before: Any) -> None:
    now = timezone.now()
    since = now - dt.timedelta(hours=2)
    alice, of_alice = keep(before, now, "alice", 900, state="up", state_since=since)
    bob, of_bob = keep(before, now, "bob", Code.TIMEOUT, state="down", state_since=since)
    migrate()
    for host, kept in ((alice, of_alice), (bob, of_bob)):
        rows = Minute.objects.filter(host_id=host).order_by("minute").values_list("minute", "packets")
        assert [(minute, bytes(packets)) for minute, packets in rows] == kept
    assert set(Hour.objects.values_list("host_id", "sum_us", "sent")) == {(alice, 7, 1), (bob, 7, 1)}
    columns = read_series(Host.objects.get(pk=alice), now - dt.timedelta(hours=1), now).columns
    assert sum(sent or 0 for sent in columns["sent"]) == KEPT * 60
    report = read_report(Host.objects.get(pk=bob), now.year, now.month, dt.UTC, now)
    assert report.total.packets.received == 0
    assert report.total.uptime is None, "nobody wrote down then how it was"
    for _ in range(2):
        take_over()
    incident = Incident.objects.get()
    assert (incident.host_id, incident.began_at, incident.state, incident.ended_at) == (bob, since, "down", None)
    assert incident.news


def take_over() -> None:
    """What a watcher does with hosts that it finds."""
    rulings = Rulings()
    rulings.look()
    hosts = list(Host.objects.all())
    for pk, found in resume(hosts, rulings).items():
        record(Watched(Host.objects.get(pk=pk)).resume(*found))
