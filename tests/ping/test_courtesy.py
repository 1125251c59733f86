"""Event loops that give way: while that is wanted, as long as anything is in the air, and no longer."""

import asyncio
import gc
import threading
import time
import weakref
from contextvars import ContextVar

import pytest

from monitor.ping.courtesy import PIECE, PIECES, SELDOM, Courtesy, Look


class Thread:
    """What is looked after, from when on it has something to do, who asked for that and how often."""

    def __init__(self, *, when: float | None = None) -> None:
        self.when = when
        self.far = time.monotonic() + 3600
        self.ended = False
        self.asked = 0
        self.loops = set[asyncio.AbstractEventLoop]()

    def find_when(self) -> float | None:
        self.asked += 1
        self.loops.add(asyncio.get_running_loop())
        if self.ended:
            return None
        return self.far if self.when is None else self.when


async def wait_until_asked(thread: Thread, times: int) -> None:
    for _ in range(4000):
        if thread.asked >= times:
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"asked {thread.asked} times instead of {times}")


async def see_it_end(thread: Thread) -> None:
    """Wait until the loop has looked once more, and see that it looks no more after that."""
    thread.ended = True
    last = thread.asked + 1
    await wait_until_asked(thread, last)
    await asyncio.sleep(0.1)
    assert thread.asked == last


async def test_a_loop_looks_until_it_is_over_and_again_when_asked_again() -> None:
    thread = Thread()
    courtesy = Courtesy(thread.find_when)
    for _ in range(2):
        thread.ended, before = False, thread.asked
        # Asked by each of many who wait, it looks no more often: once whether it is over, and once whether it is wanted.
        for _ in range(50):
            courtesy.ask([asyncio.get_running_loop(), None])
        await asyncio.sleep(0)
        assert thread.asked == before + 2
        await wait_until_asked(thread, before + 6)
        await see_it_end(thread)


async def test_it_gives_way_a_little_at_a_time_and_less_where_that_is_in_vain() -> None:
    thread, given, pauses = Thread(when=0.0), list[float](), list[float]()
    courtesy = Courtesy(thread.find_when, given.append)
    look = Look(time.monotonic(), 0.0, when=1.0)
    for _ in range(8):
        look = courtesy.give_way(look)
        pauses.append(look.pause)
    assert given == [PIECE] * PIECES * 8
    assert pauses == [0.001, 0.002, 0.004, 0.008, 0.016, 0.025, 0.025, 0.025]
    # It has come further, and may wait for the next piece of what it has to do.
    thread.when = 0.5
    assert courtesy.give_way(look).pause == 0.001


async def test_it_gives_way_until_the_thread_has_had_its_turn() -> None:
    thread, given = Thread(when=0.0), list[float]()

    def have_a_turn(seconds: float) -> None:
        given.append(seconds)
        if len(given) == 3:
            thread.when = None

    Courtesy(thread.find_when, have_a_turn).give_way(Look(time.monotonic(), 0.0))
    assert given == [PIECE] * 3


@pytest.mark.parametrize(
    ("computed", "wakes_in", "pause"), [(90, 60, 1), (10, 60, 250), (10, 0.1, 102), (10, 0.005, 25)]
)
def test_a_busy_loop_looks_often_and_any_other_when_the_thread_wakes_up(
    computed: int, wakes_in: float, pause: int
) -> None:
    look = Look(10.0, 5.0, pause=0.25).follow(10.1, 5 + computed / 1000, 10.1 + wakes_in, 0)
    assert look.pause * 1000 == pytest.approx(pause)


def test_one_look_at_rest_makes_no_busy_loop_look_away() -> None:
    look, pauses = Look(10.0, 5.0), list[int]()
    for second in range(11, 20):
        look = look.follow(second, 5.0, 100.0, 0)
        pauses.append(round(look.pause * 1000))
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 250, 250]
    assert look.follow(20.0, 5.9, 100.0, 0).pause == 0.001


async def test_a_loop_that_looks_seldom_does_so_at_once_when_something_is_asked_for() -> None:
    thread = Thread()
    courtesy = Courtesy(thread.find_when)
    courtesy.ask([loop := asyncio.get_running_loop()])
    for _ in range(4000):
        if courtesy._looks[loop].pause > SELDOM:
            break
        await asyncio.sleep(0.005)
    before = thread.asked
    for _ in range(20):
        courtesy.ask([loop])
    await asyncio.sleep(0)
    assert thread.asked == before + 2
    await see_it_end(thread)


def test_a_thread_that_asks_wakes_a_loop_that_waits() -> None:
    loops, waiting = list[asyncio.AbstractEventLoop](), threading.Event()

    async def wait_to_be_asked() -> None:
        loops.append(loop := asyncio.get_running_loop())
        asked.append(loop.create_future())
        waiting.set()
        await asked[0]

    asked = list[asyncio.Future[None]]()
    waiter = threading.Thread(target=asyncio.run, args=[wait_to_be_asked()])
    waiter.start()
    assert waiting.wait(20)
    time.sleep(0.1)
    Courtesy(lambda: asked[0].set_result(None)).ask(loops)
    waiter.join(20)
    assert not waiter.is_alive()


async def test_each_loop_looks_for_itself() -> None:
    thread = Thread()
    courtesy = Courtesy(thread.find_when)
    courtesy.ask([asyncio.get_running_loop()])

    async def look_elsewhere() -> None:
        courtesy.ask([asyncio.get_running_loop()])
        await asyncio.sleep(0)
        assert asyncio.get_running_loop() in thread.loops

    await asyncio.to_thread(asyncio.run, look_elsewhere())
    assert len(thread.loops) == 2
    await see_it_end(thread)


def test_a_loop_that_is_closed_is_no_matter_and_is_not_kept() -> None:
    thread, loop = Thread(), asyncio.new_event_loop()
    courtesy = Courtesy(thread.find_when)
    loop.close()
    courtesy.ask([loop])
    assert thread.asked == 0

    async def ask() -> "weakref.ref[asyncio.AbstractEventLoop]":
        courtesy.ask([asyncio.get_running_loop()])
        await wait_until_asked(thread, 4)
        return weakref.ref(asyncio.get_running_loop())

    closed = asyncio.run(ask())
    thread.loops.clear()
    gc.collect()
    assert closed() is None


async def test_nothing_is_kept_of_who_asked() -> None:
    thread, place = Thread(), ContextVar[Thread]("place")
    courtesy, request = Courtesy(thread.find_when), Thread()
    kept = weakref.ref(request)

    async def ask(request: Thread) -> None:
        place.set(request)
        courtesy.ask([asyncio.get_running_loop()])

    await asyncio.create_task(ask(request))
    await wait_until_asked(thread, 4)
    del request
    gc.collect()
    assert kept() is None
    await see_it_end(thread)


def test_a_signal_in_the_middle_of_it_does_not_end_the_looking() -> None:
    thread, loop, given = Thread(when=0.0), asyncio.new_event_loop(), list[float]()

    def be_interrupted_once(seconds: float) -> None:
        given.append(seconds)
        if len(given) == 4:
            raise KeyboardInterrupt

    Courtesy(thread.find_when, be_interrupted_once).ask([loop])
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(asyncio.sleep(20))
    assert len(given) == 4
    loop.run_until_complete(wait_until_asked(thread, 100))
    loop.close()
