"""The wire contract, event by event and key by key."""

import asyncio
import uuid

import pytest

from monitor.history import find_run
from monitor.models import Run
from monitor.ping.reply import Status
from tests.site.conftest import site, visiting
from tests.site.engines import BrokenEngine, HesitantEngine, LateEngine, ScriptedEngine, forbid

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_plain_press_sends_five_numbered_results_and_a_summary() -> None:
    engine = ScriptedEngine()
    async with site(engine) as application, visiting(application) as browser:
        await browser.press(interval=0.2)
        started, *results, finished = await browser.hear_all()
    run = started["run"]
    assert started == {
        "event": "started",
        "run": run,
        "host": "127.0.0.1",
        "address": "127.0.0.1",
        "count": 5,
        "interval": 0.2,
    }
    assert str(uuid.UUID(run)) == run
    assert [set(result) for result in results] == [{"event", "run", "data1", "data", "rtt_ms", "status"}] * 5
    assert [result["data1"] for result in results] == [0, 1, 2, 3, 4]
    assert results[2]["data"] == "64 bytes from 127.0.0.1: icmp_seq=3 ttl=64 time=3.00 ms"
    assert [result["rtt_ms"] for result in results] == [1, 2, 3, 4, 5]
    assert {result["status"] for result in results} == {"reply"}
    assert finished["outcome"] == "finished"
    assert finished["summary"] == {
        "sent": 5, "received": 5, "lost": 0, "not_sent": 0, "loss": 0.0, "min_ms": 1.0, "avg_ms": 3.0, "max_ms": 5.0,
        "mdev_ms": 1.414, "jitter_ms": 1.0, "duplicates": 0, "late": 0,
    }  # fmt: skip
    assert engine.asked == [("127.0.0.1", index) for index in range(5)]


async def test_an_untouched_form_pings_the_default_host_five_times_a_second_apart() -> None:
    async with site() as application, visiting(application) as browser:
        await browser.say(event="my_event")
        started = await browser.hear()
    assert (started["host"], started["count"], started["interval"]) == ("127.0.0.1", 5, 1.0)


async def test_results_stream_one_by_one_and_not_together_at_the_end() -> None:
    engine = HesitantEngine()
    async with site(engine) as application, visiting(application) as browser:
        await browser.press(count=5, interval=0.2)
        await browser.hear()
        for index in range(5):
            engine.allowed.release()
            assert (await browser.hear())["data1"] == index
        assert (await browser.hear())["event"] == "finished"


async def test_a_lost_ping_has_a_line_too() -> None:
    engine = ScriptedEngine({1: Status.TIMEOUT, 2: Status.NO_ROUTE})
    async with site(engine) as application, visiting(application) as browser:
        await browser.press(count=4, interval=0.2, timeout=0.1)
        _, *results, finished = await browser.hear_all()
    assert [result["status"] for result in results] == ["reply", "timeout", "no_route", "reply"]
    assert all(result["data"] for result in results)
    assert [result["rtt_ms"] is None for result in results] == [False, True, True, False]
    assert finished["summary"]["loss"] == 0.5


async def test_an_answer_after_the_timeout_is_lost_and_counted_as_late() -> None:
    engine = LateEngine({0: Status.TIMEOUT, 2: Status.TIMEOUT})
    async with site(engine) as application, visiting(application) as browser:
        await browser.press(count=4, interval=0.2, timeout=0.1)
        _, *results, finished = await browser.hear_all()
    assert [result["status"] for result in results] == ["timeout", "reply", "timeout", "reply"]
    assert (finished["summary"]["lost"], finished["summary"]["late"]) == (2, 2)
    assert finished["summary"]["max_ms"] == 4.0


async def test_results_keep_the_order_sent_when_a_later_answer_is_sooner() -> None:
    engine = ScriptedEngine({0: Status.TIMEOUT})
    async with site(engine) as application, visiting(application) as browser:
        await browser.press(count=4, interval=0.2, timeout=1.0)
        _, *results, _ = await browser.hear_all()
    assert [result["data1"] for result in results] == [0, 1, 2, 3]
    assert results[0]["status"] == "timeout"


async def test_pings_nobody_could_send_are_not_counted_as_lost() -> None:
    engine = ScriptedEngine(dict.fromkeys(range(3), Status.NOT_SENT))
    async with site(engine) as application, visiting(application) as browser:
        await browser.press(count=3, interval=0.2)
        *_, finished = await browser.hear_all()
    assert finished["summary"]["loss"] is None
    assert finished["summary"]["not_sent"] == 3


async def test_a_second_press_is_refused_while_the_first_run_goes_on() -> None:
    engine = HesitantEngine()
    async with site(engine) as application, visiting(application) as browser:
        await browser.press(count=3, interval=0.2)
        started = await browser.hear()
        await browser.press()
        refusal = await browser.hear()
        assert (refusal["event"], refusal["code"], refusal["run"]) == ("error", "busy", started["run"])
        for _ in range(3):
            engine.allowed.release()
        *results, _ = await browser.hear_all()
    assert [result["data1"] for result in results] == [0, 1, 2]


async def test_another_run_may_follow_in_the_same_socket() -> None:
    async with site() as application, visiting(application) as browser:
        await browser.press(count=1)
        first = await browser.hear_all()
        await browser.press(count=1)
        second = await browser.hear_all()
    assert first[0]["run"] != second[0]["run"]


async def test_stop_ends_the_run_and_says_what_there_is() -> None:
    engine = ScriptedEngine()
    async with site(engine) as application, visiting(application) as browser:
        await browser.press(count=100, interval=0.2)
        await browser.hear()
        await browser.hear()
        await browser.say(event="stop")
        *_, finished = await browser.hear_all()
        assert finished["outcome"] == "stopped"
        assert 1 <= finished["summary"]["sent"] < 100
        asked = len(engine.asked)
        await asyncio.sleep(0.5)
        assert len(engine.asked) == asked


async def test_a_stop_at_any_moment_leaves_no_run_going() -> None:
    async with site() as application:
        for moment in range(12):
            async with visiting(application) as browser:
                await browser.press(count=100, interval=0.2)
                await asyncio.sleep(moment / 2000)
                await browser.say(event="stop")
                await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)
        assert not await Run.objects.filter(outcome="running").aexists()


async def test_a_stop_after_the_last_line_still_ends_with_the_summary() -> None:
    async with site() as application, visiting(application) as browser:
        await browser.press(count=1)
        await browser.hear()
        await browser.hear()
        await browser.say(event="stop")
        assert (await browser.hear())["event"] == "finished"


async def test_stop_without_a_run_changes_nothing() -> None:
    async with site() as application, visiting(application) as browser:
        await browser.say(event="stop")
        await browser.press(count=1)
        *_, finished = await browser.hear_all()
    assert finished["outcome"] == "finished"


async def test_two_sockets_hear_only_their_own_runs() -> None:
    async with site() as application, visiting(application) as alice, visiting(application) as bob:
        await alice.press(count=2, interval=0.2)
        await bob.press(count=2, interval=0.2)
        runs = [{event["run"] for event in await browser.hear_all()} for browser in (alice, bob)]
        assert [len(run) for run in runs] == [1, 1]
        assert runs[0] != runs[1]
        assert await alice.receive_nothing(0.3)


async def test_every_ping_and_the_summary_are_kept() -> None:
    async with site(ScriptedEngine({1: Status.HOST_UNREACHABLE})) as application, visiting(application) as browser:
        await browser.press(count=3, interval=0.2)
        started, *results, finished = await browser.hear_all()
        await application.close()
    kept = await find_run(uuid.UUID(started["run"]))
    assert kept is not None
    run, replies = kept
    assert [(reply.index, reply.status.value) for reply in replies] == [
        (result["data1"], result["status"]) for result in results
    ]
    assert (run.outcome, run.sent, run.received, run.client, run.engine) == ("finished", 3, 2, "127.0.0.1", "scripted")
    assert run.finished_at is not None
    assert finished["summary"]["max_ms"] == run.max_us / 1000


async def test_a_broken_engine_ends_the_run_and_the_person_is_told() -> None:
    async with site(BrokenEngine()) as application, visiting(application) as browser:
        await browser.press(count=3, interval=0.2)
        *_, finished = await browser.hear_all()
        assert finished["outcome"] == "failed"
        assert finished["summary"]["sent"] == 2
        await browser.press(count=1)
        assert (await browser.hear_all())[-1]["outcome"] == "finished"


async def test_a_machine_that_may_not_ping_says_which_line_permits_it() -> None:
    async with site(open_engine=forbid) as application, visiting(application) as browser:
        await browser.press()
        error = await browser.hear()
    assert error["code"] == "not_permitted"
    assert "sysctl -w net.ipv4.ping_group_range" in error["message"]
    assert not await Run.objects.aexists()
