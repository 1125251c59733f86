"""Every engine against the network whose addresses say what is true of its hosts."""

import asyncio
import contextlib
import ipaddress
from collections import Counter
from collections.abc import Awaitable
from typing import Any

import pytest

from monitor.ping.desk import Engine
from monitor.ping.engine import SocketEngine
from monitor.ping.reply import Reply, Status
from monitor.ping.target import Target
from tests.bench.echoes import Tap
from tests.ping.conftest import engine_in
from tests.ping.network import Truth
from tests.ping.responder import DEVICE, Conduct

V4, V6 = "10", "fd"
FAMILIES = (V4, V6)
# After these the ping program leaves without waiting for the true answer.
SATISFYING = {Conduct.FROM_ANOTHER, Conduct.WRONG_SEQUENCE}


def host(family: str, network: int, first: int, second: int) -> str:
    """Return the address that `responder` reads these numbers from."""
    text = f"10.{network}.{first}.{second}" if family == V4 else f"fd{network}::{first:d}:{second}"
    return str(ipaddress.ip_address(text))


def gather(*echoes: Awaitable[Reply]) -> list[Reply]:
    """Run echoes at the same time."""

    async def run() -> list[Reply]:
        return list(await asyncio.gather(*echoes))

    return asyncio.run(run())


async def echo_and_notes(engine: Engine, address: str, wait: float = 0.1, **options: Any) -> list[Reply]:
    """Send one echo and return its reply, and what was said of it for a while afterwards."""
    notes: list[Reply] = []
    reply = await engine.echo(address, afterwards=notes.append, **options)
    await asyncio.sleep(wait)
    return [reply, *notes]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("delay", [1, 5, 20, 100, 250])
def test_a_round_trip_is_true_to_the_millisecond(engine: Engine, family: str, delay: int) -> None:
    replies = gather(*(engine.echo(host(family, 77, 0, delay), index=index) for index in range(7)))
    times = [reply.rtt_us or 0 for reply in replies]

    assert {reply.status for reply in replies} == {Status.REPLY}
    # Some may be longer where the machine is busy, the answers of this network among them.
    assert delay * 1000 <= min(times) < (delay + 1) * 1000


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("percent", "lost"), [(0, 0), (10, 2), (30, 6), (50, 10), (100, 20)])
def test_loss_is_exact(engine: Engine, family: str, percent: int, lost: int) -> None:
    address = host(family, 77, percent, 2)
    replies = gather(*(engine.echo(address, index=index, timeout=0.3) for index in range(20)))

    assert Counter(reply.status for reply in replies) == +Counter({Status.TIMEOUT: lost, Status.REPLY: 20 - lost})
    assert [reply.index for reply in replies] == list(range(20))


@pytest.mark.parametrize("family", FAMILIES)
def test_an_answer_says_who_sent_it_and_how(engine: Engine, family: str) -> None:
    address = host(family, 77, 0, 3)
    (reply,) = gather(engine.echo(address, index=6, size=100))

    assert (reply.index, reply.source, reply.ttl, reply.size) == (6, address, 61, 108)


@pytest.mark.parametrize(
    ("conduct", "status"),
    [
        (Conduct.TWICE, Status.REPLY),
        (Conduct.AFTER_A_FLOOD, Status.REPLY),
        (Conduct.FROM_ANOTHER, Status.TIMEOUT),
        (Conduct.WRONG_ID, Status.TIMEOUT),
        (Conduct.WRONG_SEQUENCE, Status.TIMEOUT),
        (Conduct.BAD_CHECKSUM, Status.TIMEOUT),
        (Conduct.FOUR_BYTES, Status.TIMEOUT),
        (Conduct.NO_BYTES, Status.TIMEOUT),
        (Conduct.ERROR_FOR_ANOTHER_ID, Status.TIMEOUT),
        (Conduct.ERROR_FOR_ANOTHER_HOST, Status.TIMEOUT),
        (Conduct.ERROR_OF_GARBAGE, Status.TIMEOUT),
        (Conduct.ONLY_A_REQUEST, Status.TIMEOUT),
        (Conduct.DAMAGED, Status.CORRUPT),
        (Conduct.TRUNCATED, Status.CORRUPT),
        (Conduct.DAMAGED_THEN_SOUND, Status.CORRUPT),
    ],
)
def test_only_a_sound_answer_of_the_host_itself_counts(engine: Engine, conduct: Conduct, status: Status) -> None:
    replies = gather(*(engine.echo(host(family, 78, conduct, 1), timeout=0.3) for family in FAMILIES))

    if engine.name == "command" and conduct in SATISFYING:
        status = Status.NOT_SENT
    assert [reply.status for reply in replies] == [status, status]


def test_an_answer_without_our_token_is_not_ours(sockets: Engine) -> None:
    addresses = [host(family, 78, Conduct.WRONG_TOKEN, 1) for family in FAMILIES]
    replies = gather(*(sockets.echo(address, timeout=0.3) for address in addresses))

    assert [reply.status for reply in replies] == [Status.TIMEOUT] * 2


@pytest.mark.parametrize(
    ("family", "kind", "code", "status"),
    [
        (V4, 3, 0, Status.NET_UNREACHABLE),
        (V4, 3, 1, Status.HOST_UNREACHABLE),
        (V4, 3, 2, Status.PROTOCOL_UNREACHABLE),
        (V4, 3, 3, Status.PORT_UNREACHABLE),
        (V4, 3, 4, Status.TOO_BIG),
        (V4, 3, 5, Status.UNREACHABLE),
        (V4, 3, 13, Status.PROHIBITED),
        (V4, 11, 0, Status.TIME_EXCEEDED),
        (V4, 12, 0, Status.UNREACHABLE),
        (V6, 1, 0, Status.NET_UNREACHABLE),
        (V6, 1, 1, Status.PROHIBITED),
        (V6, 1, 2, Status.UNREACHABLE),
        (V6, 1, 3, Status.HOST_UNREACHABLE),
        (V6, 1, 4, Status.PORT_UNREACHABLE),
        (V6, 1, 5, Status.PROHIBITED),
        (V6, 2, 0, Status.TOO_BIG),
        (V6, 3, 0, Status.TIME_EXCEEDED),
        (V6, 4, 1, Status.PROTOCOL_UNREACHABLE),
    ],
)
def test_a_refusal_keeps_its_reason_and_its_router(
    engine: Engine, family: str, kind: int, code: int, status: Status
) -> None:
    router = "10.99.0.1" if family == V4 else "fd99::1"
    replies = gather(*(engine.echo(host(family, network, kind, code)) for network in (79, 80)))

    assert [(reply.status, reply.source, reply.rtt_us) for reply in replies] == [(status, router, None)] * 2


@pytest.mark.parametrize("family", FAMILIES)
def test_a_second_answer_is_a_duplicate_and_counts_apart(sockets: Engine, family: str) -> None:
    replies = asyncio.run(echo_and_notes(sockets, host(family, 78, Conduct.TWICE, 1)))

    assert [reply.status for reply in replies] == [Status.REPLY, Status.DUPLICATE]


def test_second_answers_are_found_among_thousands_and_strays_are_not(
    sockets: SocketEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A step of the search takes no longer than a turn of the loop may.
    monkeypatch.setattr("monitor.ping.airspace.INDEXED", 20)

    async def run() -> list[list[Reply]]:
        answered = [sockets.echo(host(V4, 77, 0, number % 250 + 1), index=number, timeout=20) for number in range(500)]
        await asyncio.gather(*answered)
        strays = sockets.counts["stray"]
        doubtful = [echo_and_notes(sockets, host(V4, 78, Conduct.TWICE, number), wait=2) for number in range(1, 6)]
        foreign = echo_and_notes(sockets, host(V4, 78, Conduct.FROM_ANOTHER, 1), timeout=0.5)
        *twice, unheard = await asyncio.gather(*doubtful, foreign)
        assert sockets.counts["stray"] == strays + 1
        assert [reply.status for reply in unheard] == [Status.TIMEOUT]
        return twice

    for replies in asyncio.run(run()):
        assert [reply.status for reply in replies] == [Status.REPLY, Status.DUPLICATE]
    assert not sockets._puzzles


@pytest.mark.parametrize("family", FAMILIES)
def test_an_answer_after_the_timeout_is_late_not_received(sockets: Engine, family: str) -> None:
    address = host(family, 77, 0, 200)
    reply, late = asyncio.run(echo_and_notes(sockets, address, wait=0.4, timeout=0.1))

    assert reply.status is Status.TIMEOUT
    assert late.status is Status.LATE
    assert late.rtt_us is not None
    assert late.rtt_us >= 200_000


def test_a_redirect_is_a_note_and_the_answer_still_counts(sockets: Engine) -> None:
    replies = asyncio.run(echo_and_notes(sockets, host(V4, 78, Conduct.REDIRECTED, 1)))

    assert {reply.status for reply in replies} == {Status.REDIRECT, Status.REPLY}


def test_the_same_packet_number_twice_in_the_air_is_told_apart(sockets: Engine) -> None:
    replies = gather(*(sockets.echo(host(V4, 77, 0, 50), index=0) for _ in range(300)))

    assert Counter(reply.status for reply in replies) == {Status.REPLY: 300}


def test_the_numbers_of_packets_may_wrap(sockets: Engine) -> None:
    indexes = [65_534, 65_535, 65_536, 131_071, 10_000_000]
    replies = gather(*(sockets.echo(host(V6, 77, 0, 5), index=index) for index in indexes))

    assert [(reply.index, reply.status) for reply in replies] == [(index, Status.REPLY) for index in indexes]


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 56, 57, 1452])
def test_a_payload_of_any_size_comes_back_whole(sockets: Engine, size: int) -> None:
    replies = gather(*(sockets.echo(host(family, 77, 0, 1), size=size) for family in FAMILIES))

    assert [(reply.status, reply.size) for reply in replies] == [(Status.REPLY, size + 8)] * 2


def test_a_stream_yields_every_echo_of_every_host(engine: Engine) -> None:
    targets = [Target(host(family, 77, loss, 4), timeout=0.5) for family in FAMILIES for loss in (0, 50, 100)]

    async def collect() -> Counter[tuple[str, bool]]:
        return Counter(
            [(target.address, reply.lost) async for target, reply in engine.stream(targets, interval=0.4, count=4)]
        )

    assert asyncio.run(collect()) == {
        (targets[0].address, False): 4,
        (targets[1].address, False): 2,
        (targets[1].address, True): 2,
        (targets[2].address, True): 4,
        (targets[3].address, False): 4,
        (targets[4].address, False): 2,
        (targets[4].address, True): 2,
        (targets[5].address, True): 4,
    }


def test_a_stream_may_be_left_in_the_middle(engine: Engine) -> None:
    async def leave() -> Reply:
        async with contextlib.aclosing(engine.stream([Target(host(V4, 77, 0, 1))], interval=0.05)) as stream:
            await anext(stream)
        return await engine.echo(host(V4, 77, 0, 1))

    assert asyncio.run(leave()).status is Status.REPLY


def test_a_tap_at_the_device_says_how_long_an_echo_was_under_way(truth: Truth) -> None:
    with engine_in(truth, "datagram") as engine:
        with truth.inside():
            tap = Tap(DEVICE)
        reply = asyncio.run(engine.echo("10.77.0.20", index=4))
    took = tap.measure()

    assert took.keys() == {("10.77.0.20", 5)}
    # The tap has the packet a moment before the driver, whose stamp counts.
    assert 20_000 <= (reply.rtt_us or 0) <= took["10.77.0.20", 5]


def test_stray_and_malformed_answers_are_counted(sockets: SocketEngine) -> None:
    before = sockets.counts.total()
    gather(sockets.echo(host(V4, 78, Conduct.FROM_ANOTHER, 1), timeout=0.2))

    assert sockets.counts.total() > before
