"""Watchers beside the web processes, on PostgreSQL and Redis, and what becomes of boards and history when parts die."""

import contextlib
import itertools
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from monitor.packing import unpack
from tests.deploy.deployment import Deployment
from tests.deploy.process import Process, wait_until
from tests.deploy.visitor import Socket, Visitor
from tests.watch.test_watcher import is_answer

HOSTS = 20
INTERVAL_MS = 500
LOADED = "\n".join(
    f'[[hosts]]\nname = "host {number}"\nhost = "127.0.1.{number}"\ninterval = {INTERVAL_MS / 1000}\ntimeout = 0.4\n'
    for number in range(1, HOSTS + 1)
)


@pytest.fixture(scope="module")
def watchers(site: Deployment) -> Iterator[dict[int, Process]]:
    """Two watchers, by their numbers of process, and twenty hosts; one of them watches."""
    file = site.folder / "hosts.toml"
    file.write_text(LOADED)
    site.run_manage("load", str(file))
    started = [site.make_watcher(number) for number in (1, 2)]
    for watcher in started:
        watcher.start(lambda watcher=watcher: "ready" in watcher.log.read_text())
    wait_until(lambda: len(ask(site, "SELECT 1 FROM monitor_host WHERE state = 'up'")) == HOSTS, "all are up")
    yield {watcher.pid: watcher for watcher in started}
    for watcher in started:
        watcher.end()
    file.write_text("")
    site.run_manage("load", "--remove", str(file))


def ask(site: Deployment, query: str) -> list[tuple[Any, ...]]:
    """Rows of the site's database."""
    with site.open_database() as database:
        return database.execute(query).fetchall()


def find_holder(site: Deployment) -> int:
    """The number of the process that watches."""
    return int(ask(site, "SELECT holder FROM monitor_lease")[0][0].split(":")[1])


def read_values(site: Deployment, since: float, until: float) -> dict[int, list[tuple[float, int]]]:
    """Of each host every value that was due between two times (s since 1970) and when it was due, by time."""
    found: dict[int, list[tuple[float, int]]] = {}
    rows = ask(site, f"SELECT host_id, minute, packets FROM monitor_minute WHERE minute >= {since // 60}")
    for host, minute, packets in rows:
        for slots in unpack(bytes(packets)):
            for place, value in enumerate(slots.values):
                due = minute * 60 + (slots.offset_ms + place * slots.interval_ms) / 1000
                if since <= due < until:
                    found.setdefault(host, []).append((due, value))
    return {host: sorted(values) for host, values in found.items()}


def expect_nothing_lost(site: Deployment, since: float, until: float) -> None:
    """Every host has an answer in every slot between two times (s since 1970), written within some seconds."""
    slots = (until - since) * 1000 / INTERVAL_MS

    def complete() -> bool:
        values = read_values(site, since, until)
        return len(values) == HOSTS and all(
            len(each) >= slots - 1 and all(is_answer(value) for _, value in each) for each in values.values()
        )

    wait_until(complete, "every slot has its answer")
    expect_nothing_doubled(site, since, until)


def expect_nothing_doubled(site: Deployment, since: float, until: float) -> None:
    """No host was asked twice in one slot."""
    for values in read_values(site, since, until).values():
        answered = [due for due, value in values if value >= 0]
        assert all(later - sooner > 0.6 * INTERVAL_MS / 1000 for sooner, later in itertools.pairwise(answered))


@contextlib.contextmanager
def board(staff: Visitor, site: Deployment) -> Iterator[Socket]:
    """The socket of a board that is told of all hosts."""
    with staff.connect("/ws/watch/", through=site.sockets[0]) as page:
        page.say(event="subscribe", hosts="all", lines=None, faster=False)
        hear_of_hosts(page)
        yield page


def hear_of_hosts(page: Socket, patience: float = 10) -> float:
    """How many seconds pass until rows of hosts are told."""
    began = time.monotonic()
    while (event := page.hear(patience))["event"] != "hosts" or not event["rows"]:
        assert time.monotonic() < began + patience
    return time.monotonic() - began


def keep_hearing(page: Socket, seconds: float) -> None:
    """Rows are told all the while."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert hear_of_hosts(page) < 6


def test_a_watcher_is_killed_and_the_other_goes_on_within_seconds(
    staff: Visitor, site: Deployment, watchers: dict[int, Process]
) -> None:
    holder = find_holder(site)
    with board(staff, site) as page:
        began = time.time()
        keep_hearing(page, 2)
        watchers[holder].signal(signal.SIGKILL)
        killed = time.time()
        wait_until(lambda: find_holder(site) != holder, "somebody else watches")
        # What the dead one had published may still be on its way.
        while hear_of_hosts(page) and time.time() < killed + 1:
            pass
        keep_hearing(page, 2)
    ended = time.time() - 1
    successor = find_holder(site)
    assert successor in watchers
    expect_nothing_doubled(site, began, ended)
    values = read_values(site, began, ended)
    assert len(values) == HOSTS
    for each in values.values():
        answered = [due for due, value in each if value >= 0]
        assert max(due for due in answered if due < killed) > killed - 2.5
        assert min(due for due in answered if due > killed) < killed + 15
    dead = watchers.pop(holder)
    dead.log.write_text("")
    dead.start(lambda: "ready" in dead.log.read_text())
    watchers[dead.pid] = dead


def test_postgres_restarts_and_every_packet_of_that_time_is_written(
    staff: Visitor, site: Deployment, watchers: dict[int, Process]
) -> None:
    holder, began = find_holder(site), time.time()
    with board(staff, site) as page:
        site.stop_postgres()
        try:
            # Longer than a lease: who waits may not take over for that.
            keep_hearing(page, 7)
        finally:
            site.start_postgres()
        keep_hearing(page, 1)
    expect_nothing_lost(site, began, time.time() - 0.5)
    assert find_holder(site) == holder


def test_redis_is_killed_and_the_board_goes_on_when_it_is_back(
    staff: Visitor, site: Deployment, watchers: dict[int, Process]
) -> None:
    began = time.time()
    with board(staff, site) as page:
        site.redis.signal(signal.SIGKILL)
        time.sleep(1)
        site.start_redis()
        hear_of_hosts(page)
        keep_hearing(page, 2)
    expect_nothing_lost(site, began, time.time() - 0.5)
