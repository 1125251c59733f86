"""Leaving, coming back, and watching what somebody else started."""

import asyncio
import datetime as dt
import uuid

import pytest
from django.utils import timezone

from monitor.history import find_run, settle_abandoned
from monitor.models import Outcome, Run
from monitor.runs import Runs
from pingsite.asgi import Application
from tests.site.conftest import site, visiting
from tests.site.engines import ScriptedEngine, opening

pytestmark = pytest.mark.django_db(transaction=True)


async def begin(browser, results: int = 1, **fields) -> str:
    """Press, hear so many results, and return the run."""
    await browser.press(**({"count": 10, "interval": 0.2} | fields))
    run = (await browser.hear())["run"]
    for _ in range(results):
        await browser.hear()
    return run


async def test_a_connection_that_breaks_loses_nothing() -> None:
    async with site(grace=5) as application:
        async with visiting(application) as browser:
            run = await begin(browser, results=2)
        await asyncio.sleep(0.5)
        async with visiting(application) as browser:
            await browser.say(event="resume", run=run, after=1)
            started, *events = await browser.hear_all()
    assert started["event"] == "started"
    assert started["replayed"] >= 2
    assert [event["data1"] for event in events[:-1]] == list(range(2, 10))
    assert events[-1]["outcome"] == "finished"


async def test_a_run_that_nobody_comes_back_to_is_stopped() -> None:
    engine = ScriptedEngine()
    async with site(engine, grace=0.3) as application:
        async with visiting(application) as browser:
            run = await begin(browser, count=100)
        await asyncio.sleep(1.0)
        asked = len(engine.asked)
        await asyncio.sleep(0.5)
        assert len(engine.asked) == asked
        kept = await find_run(uuid.UUID(run))
        assert kept is not None
        assert kept[0].outcome == Outcome.STOPPED
        assert kept[0].sent == len(kept[1])


async def test_whoever_came_back_may_stop_the_run() -> None:
    async with site(grace=5) as application:
        async with visiting(application) as browser:
            run = await begin(browser, count=100)
        async with visiting(application) as browser:
            await browser.say(event="resume", run=run, after=0)
            await browser.hear()
            await browser.say(event="stop")
            *_, finished = await browser.hear_all()
    assert finished["outcome"] == "stopped"


async def test_whoever_came_back_to_another_process_may_stop_the_run() -> None:
    async with site(grace=5) as application, site() as elsewhere:
        async with visiting(application) as browser:
            run = await begin(browser, count=100)
        async with visiting(elsewhere) as browser:
            await browser.say(event="resume", run=run, after=0)
            await browser.hear()
            await browser.say(event="stop")
            *_, finished = await browser.hear_all()
    assert finished["outcome"] == "stopped"


async def test_a_second_page_of_the_same_person_cannot_stop_the_run_of_the_first() -> None:
    async with site() as application, visiting(application) as first, visiting(application) as second:
        run = await begin(first, count=4)
        await second.say(event="resume", run=run, after=-1)
        await second.hear()
        await second.say(event="stop")
        assert (await first.hear_all())[-1]["outcome"] == "finished"


async def test_a_watcher_cannot_stop_a_run_of_somebody_else() -> None:
    async with site() as application, visiting(application) as alice:
        run = await begin(alice, count=4)
        async with visiting(application, address="192.0.2.7") as charlie:
            await charlie.say(event="resume", run=run, after=-1)
            await charlie.hear()
            await charlie.say(event="stop")
            *_, finished = await charlie.hear_all()
        assert finished["outcome"] == "finished"
        assert (await alice.hear_all())[-1]["outcome"] == "finished"


async def test_a_watcher_sees_the_whole_run_once_and_in_order() -> None:
    async with site() as application, visiting(application) as alice, visiting(application) as bob:
        run = await begin(alice, results=3, count=8)
        await bob.say(event="resume", run=run, after=-1)
        started, *results, finished = await bob.hear_all()
        assert [result["data1"] for result in results] == list(range(8))
        assert started["replayed"] >= 3
        assert finished["run"] == run
        # Asking twice does not make the watcher hear twice.
        await alice.hear_all()
        assert await bob.receive_nothing(0.2)


async def test_a_record_is_replayed_with_its_summary() -> None:
    async with site() as application:
        async with visiting(application) as browser:
            await browser.press(count=2, interval=0.2)
            events = await browser.hear_all()
        async with visiting(application) as browser:
            await browser.say(event="resume", run=events[0]["run"], after=0)
            started, result, finished = await browser.hear_all()
    assert started["replayed"] == 1
    assert result == events[2]
    assert finished == events[-1]


async def test_another_process_replays_from_the_history() -> None:
    async with site() as application, visiting(application) as browser:
        await browser.press(count=2, interval=0.2)
        events = await browser.hear_all()
        await asyncio.sleep(0.5)
        elsewhere = Application(Runs(open_engine=opening(ScriptedEngine())))
        async with visiting(elsewhere) as watcher:
            await watcher.say(event="resume", run=events[0]["run"])
            assert [event["event"] for event in await watcher.hear_all()] == ["started", "server", "server", "finished"]
        await elsewhere.close()


async def test_an_unknown_run_is_refused() -> None:
    async with site() as application, visiting(application) as browser:
        await browser.say(event="resume", run=str(uuid.uuid4()))
        error = await browser.hear()
    assert error["code"] == "unknown_run"


async def test_closing_the_site_interrupts_runs_and_keeps_what_there_is() -> None:
    async with site() as application, visiting(application) as browser:
        run = await begin(browser, results=2, count=100)
        await application.close()
        *_, finished = await browser.hear_all()
    assert finished["outcome"] == "interrupted"
    kept = await find_run(uuid.UUID(run))
    assert kept is not None
    assert kept[0].outcome == Outcome.INTERRUPTED
    assert len(kept[1]) == kept[0].sent >= 2


async def test_leaving_before_the_run_begins_takes_it_back() -> None:
    async with site() as application:
        async with visiting(application) as browser:
            await browser.press()
        await asyncio.sleep(0.3)
        going = Run.objects.going(timezone.now())
        assert await going.acount() <= 1
        assert not [task for task in application.runs._tended if task.done()]


def test_a_run_whose_process_died_is_settled_with_its_figures(db: None) -> None:
    run = Run(host="a.example", address="192.0.2.1", count=5, interval=1.0, timeout=1.0)
    run.set_start(timezone.now() - dt.timedelta(hours=1))
    run.save()
    run.pings.create(index=0, status="reply", sent_at=run.started_at, rtt_us=1500)
    run.pings.create(index=1, status="timeout", sent_at=run.started_at)
    assert not run.live
    assert run.ending == Outcome.INTERRUPTED
    settle_abandoned(Run.objects.abandoned(timezone.now()))
    run.refresh_from_db()
    assert (run.outcome, run.sent, run.received, run.avg_us) == (Outcome.INTERRUPTED, 2, 1, 1500)
