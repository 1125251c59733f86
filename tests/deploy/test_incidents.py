"""Incidents and messages on PostgreSQL, in a network of the tests' own: watchers are killed at every point between a
packet and its message, the database dies, links are cut; nothing is lost, and nothing is told twice."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from monitor.packing import Code, unpack
from tests.deploy.deployment import ROOT, Deployment, find_postgres, read_surroundings
from tests.deploy.process import Process, wait_until
from tests.needs import need
from tests.ping.network import Truth, truth
from tests.watch.test_cut import Hearing, hearing

__all__ = ["hearing", "truth"]

ADDRESS = "10.77.0.15"
PREPARE = f"""
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from tests.watch.sites import watch
from monitor.models import Channel, Rules
watch("alice", host="{ADDRESS}", interval=0.5, timeout=0.5)
Rules.objects.create(lost_in_row=3, lost_s=1)
Channel.objects.create(name="hook", kind="webhook", address="http://127.0.0.1:18080/", anywhere=True)
"""
MANY = """
import django
django.setup()
from tests.watch.sites import watch
from monitor.models import Rules
Rules.objects.all().delete()
for number in range(20, 220):
    watch(f"host {number}", host=f"10.77.0.{number}", interval=1.0, timeout=0.5)
"""
# Each answers as its address says.
STATES = """
import django
django.setup()
from django.utils import timezone
from monitor.models import Maintenance, Rules
from tests.watch.sites import watch
fast = {"interval": 0.2, "timeout": 0.5}
watch("degraded", host="10.77.20.5", **fast)
watch("down", host="10.77.100.5", **fast)
watch("not_measured", host="nobody.invalid", **fast)
(host,) = watch("paused", host="10.77.0.6", **fast)
host.paused = True
host.save()
hosts = watch("maintenance", host="10.77.0.7", **fast)
now = timezone.now()
Maintenance.objects.create(name="all day", starts_on=now.date(), starts_at="00:00", minutes=2880).hosts.set(hosts)
Rules.objects.update(lost_in_row=5, window_s=4)
"""
REPLAY = """
import json
import django
django.setup()
import datetime as dt
from django.utils import timezone
from monitor.models import Host
from monitor.replay import replay
from monitor.rules import read_rules
host = Host.objects.get()
spells = replay(host, read_rules().find(host), timezone.now() - dt.timedelta(hours=1), timezone.now())
print(json.dumps([(spell.state, spell.began_at, spell.ended_at) for spell in spells]))
"""
# Whoever does this waits for as long as the test holds the lock of that number.
GATES = """
CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_advisory_xact_lock(TG_ARGV[0]::bigint); RETURN NEW; END $$;
CREATE TRIGGER gate BEFORE INSERT ON monitor_incident FOR EACH ROW EXECUTE FUNCTION wait_at_gate(1);
CREATE TRIGGER gate BEFORE INSERT ON monitor_delivery FOR EACH ROW EXECUTE FUNCTION wait_at_gate(2);
CREATE TRIGGER claim BEFORE UPDATE ON monitor_delivery FOR EACH ROW EXECUTE FUNCTION wait_at_gate(3);
"""
ON_POSTGRES = (
    "alerts/test_planning.py", "alerts/test_twice.py", "watch/test_incidents.py", "watch/test_migration.py",
    "watch/test_uptime.py", "watch/test_accounts.py::test_what_is_asked_for_wrongly_is_refused",
)  # fmt: skip
# Asked of a server, it takes as long as all the others together.
NOT_AGAIN = "not a_day_of_flapping"
RECORDED, PLANNED, CLAIMED = 1, 2, 3
SLOT_US, ROW = 500_000, 3


class Watch:
    """A database of one host of that network, and the watchers of it, which live there."""

    def __init__(self, site: Deployment, network: Truth, folder: Path) -> None:
        self.site, self.network, self.folder = site, network, folder
        self.env = read_surroundings() | {
            "DATABASE_URL": "postgres:///incidents", "PGHOST": str(site.listener), "PGUSER": "root",
            "PINGSITE_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "pingsite.settings",
        }  # fmt: skip
        self.watchers: list[Process] = []
        self._make("dropdb", "--if-exists", "--force")
        self._make("createdb")
        self.run(PREPARE)

    def _make(self, program: str, *options: str) -> None:
        command = [find_postgres(program), *options, "-h", self.site.listener, "-U", "root", "incidents"]
        subprocess.run(command, check=True, capture_output=True)

    def run(self, program: str) -> str:
        """What a program of the site prints."""
        command = [sys.executable, "-c", program]
        return subprocess.run(command, env=self.env, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout

    def start(self) -> Process:
        """A watcher, ready."""
        command = [sys.executable, "-u", str(ROOT / "manage.py"), "watch"]
        log = self.folder / f"watch-{len(self.watchers)}.log"
        watcher = Process(["ip", "netns", "exec", self.network.name, *command], log, env=self.env)
        watcher.start(lambda: "ready" in log.read_text())
        self.watchers.append(watcher)
        return watcher

    def end(self) -> None:
        """End what runs."""
        for watcher in self.watchers:
            watcher.end()

    def open(self) -> psycopg.Connection[Any]:
        """A connection of our own, in which each statement counts at once."""
        return psycopg.connect(dbname="incidents", host=str(self.site.listener), user="root", autocommit=True)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the database; none where it is away."""
        try:
            with self.open() as database:
                return database.execute(query).fetchall()
        except psycopg.OperationalError:
            return []

    def expect(self, query: str) -> None:
        """Wait until a query has an answer that is true."""
        wait_until(lambda: (rows := self.ask(query)) and rows[0][0], query, 60)

    def list_incidents(self) -> list[list[Any]]:
        """State, beginning and end (µs) of each incident."""
        times = [f"(extract(epoch FROM {name}) * 1000000)::bigint" for name in ("began_at", "ended_at")]
        return [list(row) for row in self.ask(f"SELECT state, {', '.join(times)} FROM monitor_incident ORDER BY 2")]

    def list_lost(self) -> list[int]:
        """When packets without an answer were due (µs)."""
        return self.list_values(answered=False)

    def list_values(self, *, answered: bool) -> list[int]:
        """When packets with, or without, an answer were due (µs)."""
        rows = self.ask("SELECT minute, packets FROM monitor_minute ORDER BY minute")
        return [
            minute * 60_000_000 + (slots.offset_ms + place * slots.interval_ms) * 1000
            for minute, packets in rows
            for slots in unpack(bytes(packets))
            for place, value in enumerate(slots.values)
            if (value >= 0 if answered else Code.BLOCKED <= value <= Code.TIMEOUT)
        ]

    def check(self) -> None:
        """There was one incident, and whoever judges the kept packets again finds it."""
        ((state, began, ended),) = self.list_incidents()
        assert ended
        ((kept_state, kept_began, kept_ended),) = json.loads(self.run(REPLAY))
        assert state == kept_state == "down"
        # A packet is kept in its slot, and a watcher that begins in mid-minute may be some ms beside those before it. A
        # machine that stalls for a slot may break a row of answers there, and then that begins again.
        assert abs(began - kept_began) < SLOT_US / 2
        assert kept_ended
        assert abs(ended - kept_ended) < ROW * SLOT_US
        assert kept_began in self.list_lost()

    def settle(self) -> None:
        """Wait until more answers are kept after the end than make it certain, and end what runs."""
        ((_, _, ended),) = self.list_incidents()
        wait_until(
            lambda: len([due for due in self.list_values(answered=True) if due > ended]) > 3 * ROW, "answers", 60
        )
        self.end()


@pytest.fixture
def watch(site: Deployment, truth: Truth, tmp_path: Path) -> Iterator[Watch]:
    """Lend a database and its watchers."""
    need("nft", root=True)
    watch = Watch(site, truth, tmp_path)
    yield watch
    watch.end()


@contextmanager
def cut(network: Truth, hosts: str = ADDRESS) -> Iterator[None]:
    """Cut the link to the host, or to others."""
    hook = f"chain out {{ type filter hook output priority 0; ip daddr {hosts} drop; }};"
    network.run("nft", f"table inet cut {{ {hook} }}")
    try:
        yield
    finally:
        network.run("nft", "delete table inet cut")


@contextmanager
def closed(database: psycopg.Connection[Any], gate: int) -> Iterator[None]:
    """Have whoever comes to a gate wait there."""
    database.execute("SELECT pg_advisory_lock(%s)", (gate,))
    yield
    database.execute("SELECT pg_advisory_unlock(%s)", (gate,))


def kill_waiting(watch: Watch, gate: int) -> None:
    """Kill the watcher that waits at a gate, before what it does there is done, and let another begin at once."""
    waiting = f"FROM pg_locks WHERE locktype = 'advisory' AND objid = {gate} AND NOT granted"
    watch.expect(f"SELECT count(*) {waiting}")
    kill(watch)
    # PostgreSQL would go on for who is dead, and notice only when it answers.
    watch.ask(f"SELECT pg_terminate_backend(pid) {waiting}")


def kill(watch: Watch) -> None:
    """Kill the watcher, and let another begin at once."""
    watch.watchers[-1].child.kill()
    watch.watchers[-1].child.wait()
    # Else it is waited for: that is tried elsewhere.
    watch.ask("DELETE FROM monitor_lease RETURNING 1")


def test_a_watcher_killed_at_any_point_between_judged_and_sent_leaves_one_incident_and_one_message(
    watch: Watch,
    truth: Truth,
    hearing: Hearing,
) -> None:
    with watch.open() as database:
        database.execute(GATES)
        watch.start()
        watch.expect("SELECT state = 'up' FROM monitor_host")
        with cut(truth):
            cut_at = time.time_ns() // 1000
            with closed(database, RECORDED):
                kill_waiting(watch, RECORDED)
            assert watch.list_incidents() == []
            with closed(database, PLANNED):
                watch.start()
                kill_waiting(watch, PLANNED)
            assert len(watch.list_incidents()) == 1
            assert watch.ask("SELECT 1 FROM monitor_delivery") == []
            with closed(database, CLAIMED):
                watch.start()
                kill_waiting(watch, CLAIMED)
            assert watch.ask("SELECT fate, attempts FROM monitor_delivery") == [("waiting", 0)]
            hearing.hangs = True
            watch.start()
            wait_until(lambda: hearing.heard, "a message is on its way")
            kill(watch)
            hearing.hangs = False
            assert watch.ask("SELECT fate, attempts FROM monitor_delivery") == [("sending", 1)]
            # Its claim holds for 45 s: they pass.
            watch.ask("UPDATE monitor_delivery SET claimed_until = now() - interval '1 s' RETURNING 1")
            watch.start()
            watch.expect("SELECT fate = 'sent' FROM monitor_delivery")
            mended_at = time.time_ns() // 1000
        watch.expect("SELECT count(*) = 1 FROM monitor_delivery WHERE occasion = 'recovered' AND fate = 'sent'")
    watch.end()
    ((state, began, ended),) = watch.list_incidents()
    # Its packets may be lost with who was killed a moment later; what was recorded of them is not.
    assert state == "down"
    assert cut_at - SLOT_US <= began <= mended_at <= ended
    said = [body for _, body in hearing.heard]
    assert [each["event"] for each in said] == ["down", "down", "recovered"]
    # One was on its way when its sender died, and nobody knows whether it arrived: the second says so, and is the same.
    assert said[0]["id"] == said[1]["id"]
    assert [each["may_be_repeated"] for each in said] == [False, True, False]


def test_postgres_is_killed_while_an_incident_opens_under_two_watchers(
    watch: Watch,
    truth: Truth,
    hearing: Hearing,
    site: Deployment,
) -> None:
    watch.start()
    watch.start()
    watch.expect("SELECT state = 'up' FROM monitor_host")
    with cut(truth):
        time.sleep(1)
        site.crash_postgres()
        try:
            # Longer than it takes to be certain.
            time.sleep(4)
        finally:
            site.start_postgres()
        watch.expect("SELECT count(*) = 1 FROM monitor_delivery WHERE fate = 'sent'")
    watch.expect("SELECT count(*) = 1 FROM monitor_delivery WHERE occasion = 'recovered' AND fate = 'sent'")
    watch.settle()
    assert [body["event"] for _, body in hearing.heard] == ["down", "recovered"]
    watch.check()
    lost = watch.list_lost()
    assert abs(watch.list_incidents()[0][1] - min(lost)) < SLOT_US / 2, "it began with the first lost packet"


def test_hosts_behind_one_cut_link_are_one_message_although_the_watcher_was_frozen_meanwhile(
    watch: Watch, truth: Truth, hearing: Hearing
) -> None:
    watch.run(MANY)
    watch.start()
    watch.expect("SELECT count(*) = 201 FROM monitor_host WHERE state = 'up'")
    with cut(truth, "10.77.0.0/24"):
        # Some of them would be certain within this time, in which nothing is measured, and the others are so later.
        time.sleep(4)
        watch.watchers[0].send(signal.SIGSTOP)
        time.sleep(1.5)
        watch.watchers[0].send(signal.SIGCONT)
        watch.expect("SELECT count(*) = 201 FROM monitor_incident WHERE part_of_id IS NOT NULL")
        watch.expect("SELECT count(*) = 1 FROM monitor_delivery WHERE fate = 'sent'")
    watch.expect("SELECT count(*) = 201 FROM monitor_host WHERE state = 'up'")
    watch.expect("SELECT count(*) = 1 FROM monitor_delivery WHERE occasion = 'recovered' AND fate = 'sent'")
    watch.end()
    assert [body["event"] for _, body in hearing.heard] == ["down", "recovered"], hearing.heard
    assert {body["incident"]["host"] for _, body in hearing.heard} == {None}
    assert watch.ask("SELECT count(*) FROM monitor_incident WHERE ended_at IS NULL") == [(0,)]


def test_every_state_is_that_of_a_host_of_which_it_is_true(watch: Watch, hearing: Hearing) -> None:
    watch.run(STATES)
    watch.start()
    watch.expect("SELECT bool_and(state = CASE name WHEN 'alice' THEN 'up' ELSE name END) FROM monitor_host")
    watch.end()
    bad = watch.ask("SELECT name, i.state FROM monitor_incident i JOIN monitor_host h ON h.id = host_id ORDER BY name")
    assert bad == [("degraded", "degraded"), ("down", "down")]


def test_what_is_proved_of_incidents_and_messages_on_sqlite_holds_on_postgresql(site: Deployment) -> None:
    env = read_surroundings() | {"DATABASE_URL": "postgres:///any", "PGHOST": str(site.listener), "PGUSER": "root"}
    tests = [f"tests/{name}" for name in ON_POSTGRES]
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", NOT_AGAIN, *tests]
    done = subprocess.run(
        command, env=env | {"PYTEST_ADDOPTS": ""}, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
