"""The board as it is told: old state and messages make the fresh state, whoever looks and whatever is missed."""

import asyncio
import datetime as dt
import json
import random
import time
from typing import Any

import pytest
from channels.layers import channel_layers
from django.contrib.auth.models import AnonymousUser
from django.test import override_settings
from django.utils import timezone

from monitor.board import QUIET_TICKS, Board
from monitor.live import listen, publish
from monitor.models import Host
from monitor.onlookers import Onlookers
from monitor.roster import change_host, pause_hosts
from monitor.visitors import may_look
from monitor.wire_watch import BOARD_GROUP, FORBIDDEN, WATCHER_GROUP, TickMessage
from tests.watch.histories import write_minutes
from tests.watch.sites import Looker, Reader, looking, serving, until, watch
from tests.watch.test_watcher import do

pytestmark = pytest.mark.django_db(transaction=True)

QUICK = {"interval": 0.2, "timeout": 0.5}


class Card:
    """Something on a board."""

    def __init__(self, place: int) -> None:
        self.id = place
        self.value = 0

    def row(self, now: int) -> str:
        return json.dumps([self.id, self.value])


class Page:
    """A page as its script is to be: subscribe, then fetch, then apply; what does not follow is a gap."""

    def __init__(self) -> None:
        self.number = 0
        self.rows: dict[int, list[Any]] = {}

    def load(self, state: dict[str, Any]) -> None:
        self.number = state["number"]
        self.rows = {row[0]: row for row in state["rows"]}

    def apply(self, message: dict[str, Any]) -> bool:
        """Take in a message; False where something before it is missing."""
        if message["number"] <= self.number:
            return True
        if message["after"] > self.number:
            return False
        self.rows |= {row[0]: row for row in message["rows"]}
        for host in message["gone"]:
            self.rows.pop(host, None)
        self.number = message["number"]
        return True


def told(tick: TickMessage, after: int) -> dict[str, Any]:
    return {
        "number": tick["number"],
        "after": after,
        "rows": [json.loads(row) for _, row in tick["rows"]],
        "gone": tick["gone"],
    }


@pytest.mark.parametrize("seed", range(20))
def test_a_state_and_what_follows_it_make_the_state_that_is_later(seed: int) -> None:
    chance, board, cards = random.Random(seed), Board(), {place: Card(place) for place in range(10)}
    page, fresh = Page(), Page()
    page.load(told(board.state(), 0))
    for _ in range(300):
        card = cards[chance.randrange(10)]
        card.value += 1
        deed = chance.choice([Board.announce, Board.drop, *[Board.mark] * 4])
        deed(board, card.id if deed is Board.drop else card)
        if chance.random() < 0.4 and (tick := board.tick()):
            assert page.apply(told(tick, tick["number"] - 1))
        fresh.load(told(board.state(), 0))
        assert (page.number, page.rows) == (fresh.number, fresh.rows)


def test_a_quiet_board_ticks_now_and_then_all_the_same() -> None:
    board = Board()
    ticks = [board.tick() for _ in range(3 * QUIET_TICKS)]
    assert 2 <= sum(tick is not None for tick in ticks) <= 3


async def test_onlookers_have_the_board_and_ask_for_it_again_after_a_gap() -> None:
    channel_layers.backends.clear()
    board, cards, onlookers = Board(), [Card(place) for place in range(3)], Onlookers()

    async def answer() -> None:
        async for message in listen(WATCHER_GROUP):
            if message["type"] == "ask":
                await publish("board.state", board.state())

    answering = asyncio.create_task(answer())
    await asyncio.sleep(0)
    try:
        for card in cards:
            board.mark(card)
        board.tick()
        assert (await onlookers.view()).number == board.number
        for told_to_them in (True, False, True):
            cards[0].value += 1
            board.mark(cards[0])
            tick = board.tick()
            if told_to_them:
                await publish(BOARD_GROUP, tick)
        onlookers._asked_at = 0
        cards[1].value += 1
        board.mark(cards[1])
        await publish(BOARD_GROUP, board.tick())
        await until(lambda: onlookers._board.number == board.number)
        view = await onlookers.view()
        assert view.rows == dict(board.state()["rows"])
    finally:
        answering.cancel()
        await onlookers.close()


async def test_old_state_and_messages_are_the_fresh_state_on_the_whole_site() -> None:
    await do(watch, "alice", "bob", "carol", **QUICK)
    async with serving() as application:
        await until(lambda: application.watcher.shift and len(application.watcher.shift.watched) == 3)
        reader = Reader(application)
        async with looking(application) as looker:
            page = Page()
            page.load(await reader.fetch("/hosts.json"))
            started = page.number
            (dave,) = await do(watch, "dave", **QUICK)
            for deed in (
                lambda: pause_hosts([dave.pk], paused=True),
                lambda: change_host(Host.objects.get(name="bob"), {"host": "127.0.2.2"}),
                lambda: Host.objects.get(name="alice").delete(),
                lambda: None,
            ):
                await do(deed)
                for _ in range(4):
                    assert page.apply(await looker.hear_until("hosts"))
            fresh = await reader.fetch("/hosts.json")
            while page.number < fresh["number"]:
                assert page.apply(await looker.hear_until("hosts"))
            if page.number > fresh["number"]:
                late = Page()
                late.load(fresh)
                assert late.rows.keys() == page.rows.keys()
            else:
                assert page.rows == {row[0]: row for row in fresh["rows"]}
    assert page.number > started + 10
    assert {host["name"] for host in fresh["hosts"]} == {"bob", "carol", "dave"}
    assert page.rows[dave.pk][1] == "paused"


async def test_who_looks_at_some_hosts_hears_of_those_and_misses_nothing() -> None:
    _, bob = await do(watch, "alice", "bob", interval=1.0, timeout=0.5)
    async with serving() as application:
        await until(lambda: application.watcher.shift and len(application.watcher.shift.watched) == 2)
        async with looking(application, hosts=[bob.pk]) as looker:
            page = Page()
            page.load(await Reader(application).fetch("/hosts.json"))
            for _ in range(4):
                message = await looker.hear_until("hosts")
                assert page.apply(message), "a message for others is no gap"
                assert {row[0] for row in message["rows"]} <= {bob.pk}


async def test_a_message_that_got_lost_is_seen_as_a_gap() -> None:
    await do(watch, "alice", **QUICK)
    async with serving() as application:
        await until(lambda: application.watcher.shift and application.watcher.shift.watched)
        async with looking(application) as looker:
            page = Page()
            page.load(await Reader(application).fetch("/hosts.json"))
            assert page.apply(await looker.hear_until("hosts"))
            await looker.hear_until("hosts")
            assert not page.apply(await looker.hear_until("hosts"))
            page.load(await Reader(application).fetch("/hosts.json"))
            assert page.apply(await looker.hear_until("hosts"))


async def test_numbers_of_a_watcher_that_takes_over_do_not_follow_the_old_ones() -> None:
    old = Board()
    for _ in range(8):
        old.mark(Card(1))
        await asyncio.sleep(0.01)
        old.tick()
    assert Board().number > old.number + 1


async def test_the_page_of_a_host_hears_every_echo_numbered() -> None:
    alice, _ = await do(watch, "alice", "bob", **QUICK)
    async with serving() as application:
        await until(lambda: application.watcher.shift and len(application.watcher.shift.watched) == 2)
        async with looking(application, hosts=[], lines=alice.pk) as looker:
            lines = [await looker.hear_until("line") for _ in range(10)]
    assert {line["host"] for line in lines} == {alice.pk}
    assert [line["number"] for line in lines] == list(range(lines[0]["number"], lines[0]["number"] + 10))
    assert [line["index"] for line in lines] == sorted(line["index"] for line in lines)
    assert all(isinstance(line["us"], int) for line in lines)
    assert all(abs(line["t"] - time.time() * 1000) < 30_000 for line in lines)


async def hear_of_work(looker: Looker, name: str) -> tuple[int, int]:
    """How far a piece of long work is, as the board is told; other work comes before."""
    while True:
        figures = (await looker.hear_until("hosts")).get("figures") or {}
        if (work := figures.get("work")) and work[0] == name:
            return work[1], work[2]


async def test_hours_are_built_again_on_demand_and_the_board_says_how_far_that_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # So that it is told of at every tick: the work may take less than a second.
    monkeypatch.setattr("monitor.shift.WORK_TICKS", 1)
    (alice,) = await do(watch, "alice", **QUICK)
    since = timezone.now().replace(minute=0, second=0, microsecond=0) - dt.timedelta(hours=60)
    await do(write_minutes, alice, since, 40 * 60 + 1, lambda second: 1000)
    async with serving() as application:
        await until(lambda: application.watcher.shift and application.watcher.shift._board.number)
        async with looking(application) as looker:
            await publish(WATCHER_GROUP, {"type": "rebuild", "hosts": [alice.pk]})
            async with asyncio.timeout(30):
                done, total = await hear_of_work(looker, "rebuild")
            assert 1 <= done <= total
            await until(lambda: application.watcher.shift._work is None, 60)


async def test_nobody_hears_echoes_that_were_not_wished() -> None:
    await do(watch, "alice", **QUICK)
    async with serving() as application:
        await until(lambda: application.watcher.shift and application.watcher.shift.watched)
        async with looking(application) as looker:
            events = {(await looker.hear())["event"] for _ in range(8)}
    assert events <= {"hosts", "looking"}


async def test_faster_lasts_while_somebody_looks_and_is_one_ping_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.shift.LOOK_SECONDS", 1.0)
    monkeypatch.setattr("monitor.onlookers.ANNOUNCE_SECONDS", 0.3)
    (alice,) = await do(watch, "alice", interval=1.0, timeout=0.5)
    async with serving() as application:
        await until(lambda: application.watcher.shift and application.watcher.shift.watched.get(alice.pk))
        watched = application.watcher.shift.watched[alice.pk]
        await until(lambda: watched.course)
        async with looking(application, lines=alice.pk, faster=True) as first:
            async with looking(application, lines=alice.pk, faster=True) as second:
                await until(lambda: watched.interval == 0.2)
                await first.hear_until("line")
                sent = [(await first.hear_until("line"))["t"] for _ in range(10)]
                assert 3 < 9000 / (sent[-1] - sent[0]) < 6, "five a second, however many look"
                assert {(await second.hear_until("line"))["t"] for _ in range(5)} & set(sent)
            await asyncio.sleep(1.5)
            # The last one still looks.
            await until(lambda: watched.interval == 0.2)
        await until(lambda: watched.interval == 1.0)
        await until(lambda: watched.course.interval == 1_000_000_000)


async def test_everybody_is_told_how_many_look() -> None:
    async with serving() as application:
        async with looking(application) as alice:
            async with looking(application):
                while (await alice.hear_until("looking"))["number"] != 2:
                    pass
            while (await alice.hear_until("looking"))["number"] != 1:
                pass
        assert application.onlookers.number == 0


@pytest.mark.parametrize(
    "frame",
    [
        " ", "{", "[]", "null", '"x"', '{"event":"my_event"}', '{"event":"subscribe","hosts":1}',
        '{"event":"subscribe","hosts":"some"}', '{"event":"subscribe","hosts":[true]}',
        '{"event":"subscribe","hosts":[-1]}', '{"event":"subscribe","hosts":[1e400]}',
        '{"event":"subscribe","hosts":[[]]}', '{"event":"subscribe","lines":"1"}',
        '{"event":"subscribe","lines":99999999999999999999}', '{"event":"subscribe","faster":1}',
        '{"event":"subscribe","incidents":"yes"}', "[" * 9000,
    ],
)  # fmt: skip
async def test_no_frame_breaks_the_socket(frame: str) -> None:
    async with serving() as application, looking(application) as looker:
        await looker.send_to(text_data=frame)
        assert (await looker.hear_until("error"))["code"] in ("bad_message", "bad_value", "unknown_event")
        await looker.say({"event": "subscribe", "hosts": [], "lines": 1 << 62, "faster": True})
        await looker.hear_until("subscribed")


@override_settings(PINGSITE_PUBLIC_BOARD=False)
async def test_who_may_not_look_is_told_so_and_shown_nothing() -> None:
    assert not may_look(AnonymousUser())
    async with serving() as application:
        looker = Looker(application, "/ws/watch/")
        await looker.connect()
        assert (await looker.hear())["code"] == "not_allowed"
        assert (await looker.receive_output()) == {"type": "websocket.close", "code": FORBIDDEN}
        assert application.onlookers.number == 0


async def test_a_site_where_nobody_watches_shows_what_is_known() -> None:
    (alice,) = await do(watch, "alice")
    await do(lambda: Host.objects.update(state="down"))
    async with serving() as application:
        await application.watcher.close()
        state = await Reader(application).fetch("/hosts.json")
    assert state["at"] is None
    assert state["rows"] == [[alice.pk, "down", None, None, None, None]]
