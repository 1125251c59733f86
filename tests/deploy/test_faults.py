"""Parts of the site that go away in the middle of a run, and come back."""

import json
import signal
from collections.abc import Callable

import pytest
from websockets.exceptions import ConnectionClosed

from tests.deploy.deployment import Deployment
from tests.deploy.process import wait_until
from tests.deploy.visitor import Visitor


def test_redis_dies_in_mid_run_and_nothing_is_lost(staff: Visitor, visitor: Visitor, site: Deployment) -> None:
    monitor = visitor.at("127.0.0.1")
    with staff.connect() as page:
        page.press(count=8, interval=0.5)
        lines = page.hear_lines(2)
        site.redis.signal(signal.SIGKILL)
        try:
            wait_until(lambda: monitor.get("/readyz").status == 503, "readyz says so")
            with visitor.connect() as newcomer:
                newcomer.say(event="stop")
            lines += page.hear_lines(3)
        finally:
            site.start_redis()
        lines += page.hear_lines()
    assert [line.get("data1", line["event"]) for line in lines] == [0, 1, 2, 3, 4, 5, 6, 7, "finished"]
    wait_until(lambda: monitor.get("/readyz").status == 200, "readyz is content again")


def test_watchers_elsewhere_hear_again_when_redis_is_back(
    staff: Visitor, visit: Callable[[], Visitor], site: Deployment
) -> None:
    watcher = visit()
    with (
        staff.connect(through=site.sockets[0]) as page,
        watcher.connect(through=site.sockets[1]) as other,
    ):
        run = page.press(count=12, interval=0.5)
        other.say(event="resume", run=run, after=-1)
        assert other.hear()["event"] == "started"
        other.hear_lines(2)
        site.redis.signal(signal.SIGKILL)
        page.hear_lines(2)
        site.start_redis()
        heard = other.hear_lines()
    assert heard[-1]["event"] == "finished"
    assert [line["data1"] for line in heard[-4:-1]] == [9, 10, 11]


def test_postgres_restarts_in_mid_run_and_every_ping_is_kept(
    staff: Visitor, visitor: Visitor, site: Deployment
) -> None:
    with staff.connect() as page:
        run = page.press(count=8, interval=0.5)
        lines = page.hear_lines(2)
        site.stop_postgres()
        site.start_postgres()
        lines += page.hear_lines()
    assert lines[-1]["outcome"] == "finished"

    def kept() -> bool:
        page = visitor.get(f"/runs/{run}.json")
        return page.status == 200 and json.loads(page.text)["outcome"] == "finished"

    wait_until(kept, "the run is history")
    record = json.loads(visitor.get(f"/runs/{run}.json").text)
    assert [line["data"] for line in record["lines"]] == [line["data"] for line in lines[:-1]]
    with staff.connect() as page:
        page.press(count=1)
        page.hear_lines()


def test_without_postgres_pages_open_and_new_runs_are_refused_in_words(
    staff: Visitor, visitor: Visitor, site: Deployment
) -> None:
    site.stop_postgres()
    try:
        assert visitor.get("/home").status == 200
        assert visitor.at("127.0.0.1").get("/readyz").status == 503
        for somebody in (visitor, staff):
            with somebody.connect() as page:
                page.say(event="my_event", host="8.8.8.8", count=1)
                assert page.hear()["code"] in ("unavailable", "failed")
    finally:
        site.start_postgres()
    with staff.connect() as page:
        page.press(count=1)
        assert page.hear_lines()[-1]["event"] == "finished"


def test_redis_freezes_and_nobody_waits_for_it(staff: Visitor, site: Deployment) -> None:
    with staff.connect() as page:
        page.press(count=4, interval=0.5)
        site.redis.send(signal.SIGSTOP)
        try:
            with staff.connect() as newcomer:
                newcomer.press(count=2, interval=0.2)
                assert len(newcomer.hear_lines()) == 3
            assert len(page.hear_lines()) == 5
        finally:
            site.redis.send(signal.SIGCONT)


def test_nginx_reloads_in_mid_run_and_nobody_notices(staff: Visitor, visitor: Visitor, site: Deployment) -> None:
    with staff.connect() as page:
        page.press(count=4, interval=0.5)
        site.nginx.send(signal.SIGHUP)
        assert visitor.get("/home").status == 200
        assert [line.get("status", line["event"]) for line in page.hear_lines()] == ["reply"] * 4 + ["finished"]


def test_a_process_dies_in_mid_run_and_the_other_knows_what_it_measured(
    staff: Visitor, visitor: Visitor, site: Deployment
) -> None:
    with staff.connect(through=site.sockets[0]) as page:
        run = page.press(count=50, interval=0.5)
        lines = page.hear_lines(3)
        wait_until(lambda: count_pings(site, run) == 3, "three are kept")
        site.web[0].signal(signal.SIGKILL)
        with pytest.raises(ConnectionClosed):
            page.hear_lines()
    try:
        # nginx knows only that one of two processes refuses.
        with staff.connect() as page:
            page.say(event="resume", run=run, after=0)
            assert page.hear()["replayed"] == 2
            assert [line["data"] for line in page.hear_lines(2)] == [line["data"] for line in lines[1:]]
        pass_time(site, run)
        with staff.connect() as page:
            page.say(event="resume", run=run, after=2)
            page.hear()
            finished = page.hear()
        assert (finished["outcome"], finished["summary"]["sent"]) == ("interrupted", 3)
    finally:
        site.start_web(0)
    # A process that starts settles what nobody is at any more.
    wait_until(lambda: read_outcome(site, run) == "interrupted", "the history says so")


def test_a_process_that_ends_says_goodbye_and_writes_what_it_has(
    staff: Visitor, visitor: Visitor, site: Deployment
) -> None:
    with staff.connect(through=site.sockets[1]) as page:
        run = page.press(count=50, interval=0.5)
        page.hear_lines(2)
        code = site.web[1].signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:
            page.hear_lines(50)
    try:
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, code) == (1001, 0)
        record = json.loads(visitor.get(f"/runs/{run}.json").text)
        assert record["outcome"] == "interrupted"
        assert len(record["lines"]) >= 2
    finally:
        site.start_web(1)


def test_all_processes_restart_and_the_site_is_back_at_once(visitor: Visitor, site: Deployment) -> None:
    for web in site.web:
        web.signal(signal.SIGTERM)
    assert visitor.get("/home").status == 502
    for number in (0, 1):
        site.start_web(number)
    assert visitor.get("/home").status == 200


def pass_time(site: Deployment, run: str) -> None:
    """Let the moment be over by which a run must have ended."""
    with site.open_database() as database:
        database.execute("UPDATE monitor_run SET ends_by = now() WHERE id = %s", [run])


def count_pings(site: Deployment, run: str) -> int:
    """How many pings of a run are on disk."""
    with site.open_database() as database:
        return len(database.execute("SELECT 1 FROM monitor_ping WHERE run_id = %s", [run]).fetchall())


def read_outcome(site: Deployment, run: str) -> str:
    """The outcome of a run as it is written."""
    with site.open_database() as database:
        return str(database.execute("SELECT outcome FROM monitor_run WHERE id = %s", [run]).fetchall()[0][0])
