"""Bad input and what it gets: a sentence that says why, never a traceback, never a ping."""

import asyncio
import contextlib
import logging
import threading

import pytest

from monitor.limits import Limits
from monitor.models import Run
from tests.site.conftest import site, visiting
from tests.site.engines import ScriptedEngine
from tests.site.hostile import BAD_FRAMES, TARGETS, UNKNOWN_HOST

pytestmark = pytest.mark.django_db(transaction=True)


async def test_hostile_hosts_get_an_answer_through_the_socket_and_nothing_is_pinged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    engine = ScriptedEngine()
    async with site(engine) as application, visiting(application) as browser:
        for host, reason in TARGETS:
            await browser.press(host=host)
            error = await browser.hear()
            assert (error["event"], error["code"], error["reason"]) == ("error", "bad_host", reason), ascii(host)
            assert error["message"]
        await browser.press(count=1)
        assert (await browser.hear_all())[-1]["outcome"] == "finished"
    assert len(engine.asked) == 1
    assert "Traceback" not in caplog.text
    assert caplog.text.count("refused") >= len(TARGETS)
    assert await Run.objects.acount() == 1


async def test_unknown_names_are_refused_through_the_socket() -> None:
    async with site() as application, visiting(application) as browser:
        for host in UNKNOWN_HOST:
            await browser.press(host=host)
            error = await browser.hear()
            assert error["code"] in ("unknown_host", "name_timeout")


async def test_hostile_frames_get_an_answer_and_the_socket_lives_on() -> None:
    async with site() as application, visiting(application) as browser:
        for code, frames in BAD_FRAMES.items():
            for frame in frames:
                # Not send_to(), which refuses to send the empty frame that a browser can send.
                await browser.send_input({"type": "websocket.receive", "text": frame})
                error = await browser.hear()
                assert (error["event"], error["code"]) == ("error", code), ascii(frame)[:80]
        await browser.send_to(bytes_data=b"\x00\xff" * 100)
        assert (await browser.hear())["code"] == "bad_message"
        await browser.press(count=1)
        assert (await browser.hear_all())[-1]["outcome"] == "finished"


async def test_a_name_service_that_hangs_is_given_up_on() -> None:
    hang = threading.Event()

    def resolve(host: str, family: str) -> list[str]:
        hang.wait(30)
        return []

    async with site(resolve=resolve) as application, visiting(application) as browser:
        await browser.press(host="slow.example")
        error = await browser.hear()
        hang.set()
    assert error["code"] == "name_timeout"


async def test_runs_a_minute_are_limited_for_each_client_and_the_answer_says_for_how_long() -> None:
    async with site(limits=Limits(2, 0)) as application, visiting(application) as alice:
        codes = []
        for _ in range(3):
            await alice.press(count=1)
            codes.append((await alice.hear_all())[-1])
        assert [event["event"] for event in codes] == ["finished", "finished", "error"]
        assert codes[-1]["code"] == "too_fast"
        assert 50 <= codes[-1]["retry_after"] <= 60
        async with visiting(application, address="198.51.100.9") as bob:
            await bob.press(count=1)
            assert (await bob.hear_all())[-1]["code"] == "not_allowed"
            await bob.press(count=1, host="8.8.8.8")
            assert (await bob.hear_all())[-1]["event"] == "finished"


async def test_one_ipv6_subscriber_is_one_client() -> None:
    async with site(limits=Limits(1, 0)) as application:
        answers = []
        for address in ("2001:db8:1:1::1", "2001:db8:1:1:ffff::2", "2001:db8:1:2::1"):
            async with visiting(application, address=address) as browser:
                await browser.press(count=1, host="8.8.8.8")
                answers.append((await browser.hear_all())[-1]["event"])
    assert answers == ["finished", "error", "finished"]


async def test_packets_a_second_to_a_host_are_limited_across_everybody() -> None:
    async with site(limits=Limits(0, 6)) as application, visiting(application) as alice, visiting(application) as bob:
        await alice.press(count=100, interval=0.2)
        assert (await alice.hear())["event"] == "started"
        await bob.press(count=2, interval=0.2)
        assert (await bob.hear())["code"] == "host_busy"
        await bob.press(count=1, interval=1)
        assert (await bob.hear_all())[-1]["event"] == "finished"
        await bob.press(count=1, interval=0.2, host="127.0.0.2")
        assert (await bob.hear_all())[-1]["event"] == "finished"


async def test_presses_in_the_same_moment_do_not_slip_past_a_limit_together() -> None:
    async with site(limits=Limits(3, 0)) as application, contextlib.AsyncExitStack() as stack:
        browsers = [await stack.enter_async_context(visiting(application)) for _ in range(8)]
        await asyncio.gather(*(browser.press(count=1) for browser in browsers))
        last = [(await browser.hear_all())[-1]["event"] for browser in browsers]
    assert sorted(last) == ["error"] * 5 + ["finished"] * 3


async def test_one_client_cannot_take_all_that_everybody_may_send_to_a_host() -> None:
    async with site(limits=Limits(0, 100)) as application, contextlib.AsyncExitStack() as stack:
        greedy = [await stack.enter_async_context(visiting(application)) for _ in range(5)]
        for browser in greedy:
            await browser.press(count=100, interval=0.2, host="8.8.8.8")
        answers = [await browser.hear() for browser in greedy]
        assert [answer["event"] for answer in answers] == ["started"] * 4 + ["error"]
        assert answers[-1]["code"] == "too_fast"
        other = await stack.enter_async_context(visiting(application, address="198.51.100.9"))
        await other.press(count=1, interval=0.2, host="8.8.8.8")
        assert (await other.hear())["event"] == "started"


async def test_a_name_server_that_never_answers_one_client_does_not_keep_another_from_its_names() -> None:
    hang = threading.Event()

    def resolve(host: str, family: str) -> list[str]:
        if host == "slow.example":
            hang.wait(30)
        return ["127.0.0.1"]

    async with site(resolve=resolve) as application, contextlib.AsyncExitStack() as stack:
        answers = []
        for _ in range(6):
            browser = await stack.enter_async_context(visiting(application))
            await browser.press(host="slow.example")
            answers.append(browser)
        refused = [await browser.hear() for browser in answers]
        assert sorted(answer["code"] for answer in refused) == ["name_timeout"] * 4 + ["too_fast"] * 2
        other = await stack.enter_async_context(visiting(application, address="::1"))
        await other.press(host="fast.example", count=1)
        assert (await other.hear_all())[-1]["event"] == "finished"
        hang.set()


async def test_a_socket_that_asks_to_be_refused_without_end_is_closed() -> None:
    async with site() as application, visiting(application) as browser:
        for _ in range(501):
            await browser.say(event="nothing")
        outputs = [await browser.receive_output() for _ in range(501)]
    assert outputs[-1] == {"type": "websocket.close", "code": 4429}
