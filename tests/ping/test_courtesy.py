"""Event loops that give way: while that is wanted, as long as somebody is in the air, and no longer."""

import asyncio
import threading

import pytest

from monitor.ping.courtesy import PIECES, Courtesy


class Thread:
    """What is looked after, and how often somebody looked."""

    def __init__(self, *, wanted: bool = False) -> None:
        self.looks = self.pieces = 0
        self.loops = set[asyncio.AbstractEventLoop]()
        self.wanted = wanted
        self.ended = False

    def is_wanted(self) -> bool:
        self.pieces += 1
        return self.wanted

    def is_over(self) -> bool:
        self.looks += 1
        self.loops.add(asyncio.get_running_loop())
        return self.ended


async def wait_for_looks(thread: Thread, looks: int) -> None:
    for _ in range(4000):
        if thread.looks >= looks:
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"{thread.looks} looks instead of {looks}")


async def see_it_end(thread: Thread) -> None:
    """Wait until the loop has looked once more, and see that it looks no more after that."""
    thread.ended = True
    last = thread.looks + 1
    await wait_for_looks(thread, last)
    await asyncio.sleep(0.1)
    assert thread.looks == last


async def test_a_loop_looks_until_it_is_over_and_again_when_asked_again() -> None:
    thread = Thread()
    courtesy = Courtesy(thread.is_wanted, thread.is_over)
    for _ in range(2):
        thread.ended, before = False, thread.looks
        # Asked by each of many who wait, it looks no more often.
        for _ in range(50):
            courtesy.ask(asyncio.get_running_loop())
        await asyncio.sleep(0)
        assert thread.looks == before + 1
        await wait_for_looks(thread, before + 3)
        await see_it_end(thread)


async def test_it_gives_way_for_some_pieces_at_a_time_and_the_loop_goes_on() -> None:
    thread = Thread(wanted=True)
    Courtesy(thread.is_wanted, thread.is_over).ask(asyncio.get_running_loop())
    await wait_for_looks(thread, 4)
    assert PIECES * 3 <= thread.pieces <= PIECES * thread.looks
    await see_it_end(thread)


async def test_any_thread_may_ask_and_each_loop_looks_for_itself() -> None:
    thread, loop = Thread(), asyncio.get_running_loop()
    courtesy = Courtesy(thread.is_wanted, thread.is_over)
    asking = threading.Thread(target=courtesy.ask, args=[loop])
    asking.start()
    await asyncio.to_thread(asking.join)
    await wait_for_looks(thread, 1)

    async def look_elsewhere() -> None:
        courtesy.ask(asyncio.get_running_loop())
        await asyncio.sleep(0)
        assert asyncio.get_running_loop() in thread.loops

    await asyncio.to_thread(asyncio.run, look_elsewhere())
    assert len(thread.loops) == 2
    await see_it_end(thread)


def test_a_loop_that_is_closed_is_no_matter() -> None:
    thread, loop = Thread(), asyncio.new_event_loop()
    loop.close()
    Courtesy(thread.is_wanted, thread.is_over).ask(loop)
    assert thread.looks == 0


@pytest.mark.parametrize("wanted", [True, False])
def test_a_loop_that_is_closed_meanwhile_leaves_nothing_behind(wanted: bool) -> None:
    thread = Thread(wanted=wanted)
    courtesy = Courtesy(thread.is_wanted, thread.is_over)

    async def ask() -> None:
        courtesy.ask(asyncio.get_running_loop())
        await wait_for_looks(thread, thread.looks + 2)

    asyncio.run(ask())
    asyncio.run(ask())
    assert len(thread.loops) == 2
