"""When a packet left: the kernel's word, whatever else is said on the same queue, and what is made of its silence."""

import asyncio
import contextlib
import os
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from monitor.ping import carrier as carriers
from monitor.ping.carrier import Carrier
from monitor.ping.desk import Engine
from monitor.ping.icmp import V4, V6
from monitor.ping.reply import Reply, Status
from monitor.ping.target import PLAIN_SIZE, Target
from tests.ping.conftest import engine_in
from tests.ping.network import Routed, Truth

KINDS = [(V4, False), (V4, True), (V6, False), (V6, True)]
NAMES = ["datagram, IPv4", "raw, IPv4", "datagram, IPv6", "raw, IPv6"]
HOST = {V4: "10.77.0.1", V6: "fd77::1"}
UNREACHABLE, SERVER = {V4: "10.3.1.1", V6: "fd03:1::1"}, {V4: "10.2.0.2", V6: "fd02::2"}
REASON = {V4: Status.HOST_UNREACHABLE, V6: Status.NET_UNREACHABLE}
LONG_AGO = 300_000_000


@contextmanager
def opened(network: Truth | Routed, family: int, *, raw: bool) -> Iterator[Carrier]:
    """Open a socket in a network."""
    with (network.client if isinstance(network, Routed) else network).inside():
        carrier = Carrier(family, raw=raw)
    try:
        yield carrier
    finally:
        carrier.close()


def send(carrier: Carrier, address: str, sequence: int = 1) -> tuple[int, int, int]:
    """Send an echo request; return the times before, of its departure, and after (monotonic ns)."""
    before, ahead = time.monotonic_ns(), time.time_ns() - time.monotonic_ns()
    packet = Target(address).packed, carrier.build(sequence, os.urandom(PLAIN_SIZE))
    departed, taken = carrier.send_stamped(packet, ahead)
    assert taken == 1
    return before, departed, time.monotonic_ns()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lose the processor between reading the clock and handing over the packet, for 0.3 s."""
    monkeypatch.setattr(carriers, "monotonic_ns", lambda: time.monotonic_ns() - LONG_AGO)


@pytest.mark.parametrize(("family", "raw"), KINDS, ids=NAMES)
def test_a_packet_left_when_the_kernel_says(truth: Truth, slow: None, family: int, raw: bool) -> None:
    with opened(truth, family, raw=raw) as carrier:
        for sequence in range(20):
            before, departed, after = send(carrier, HOST[family], sequence)

            assert before <= departed <= after


@pytest.mark.parametrize("kind", ["datagram", "raw"])
def test_a_process_that_lost_the_processor_makes_no_round_trip_longer(truth: Truth, slow: None, kind: str) -> None:
    async def ask(engine: Engine) -> list[Reply]:
        replies = []
        for address in (*HOST.values(), *HOST.values()):
            replies.append(await engine.echo(address, timeout=5))
            # Where more come and go there is no time to send and stamp one by one.
            await asyncio.sleep(0.05)
        return replies

    with engine_in(truth, kind) as engine:
        replies = asyncio.run(ask(engine))

    assert all(reply.rtt_us is not None and reply.rtt_us < LONG_AGO // 1000 for reply in replies), replies


@pytest.mark.parametrize(("family", "raw"), KINDS, ids=NAMES)
def test_an_error_that_waits_before_the_time_is_kept(routed: Routed, slow: None, family: int, raw: bool) -> None:
    with opened(routed, family, raw=raw) as carrier, select.epoll() as poll:
        poll.register(carrier.fileno(), select.EPOLLIN)
        send(carrier, UNREACHABLE[family], 7)
        # Where the neighbour is not known yet, the stamp is late, and stands in the queue as well.
        deadline = time.monotonic() + 20
        while not _waits(carrier) and time.monotonic() < deadline:
            poll.poll(1)
        before, departed, after = send(carrier, SERVER[family], 8)

        assert before <= departed <= after
        assert carrier.reported
        errors = [(error.status, error.sequence) for error in carrier.receive_errors() if error]
        assert errors == [(REASON[family], 7)]
        assert not carrier.reported


def test_an_engine_hears_of_an_error_that_was_found_on_the_way(routed: Routed) -> None:
    async def ask(engine: Engine) -> list[Reply]:
        replies = []
        for _ in range(5):
            pair = engine.echo(UNREACHABLE[V6], timeout=20), engine.echo(SERVER[V6], timeout=20)
            replies += await asyncio.gather(*pair)
            await asyncio.sleep(0.05)
        return replies

    with engine_in(routed.client, "datagram") as engine:
        replies = asyncio.run(ask(engine))

    assert [reply.status for reply in replies] == [Status.NET_UNREACHABLE, Status.REPLY] * 5


@pytest.mark.parametrize(("family", "raw"), KINDS, ids=NAMES)
def test_a_packet_that_the_kernel_refuses_costs_no_other_its_stamp(
    truth: Truth, slow: None, family: int, raw: bool
) -> None:
    with opened(truth, family, raw=raw) as carrier:
        for source in ("127.0.0.9", "::9"):
            with contextlib.suppress(OSError, ValueError):
                carrier.send(Target(HOST[family], source=source), carrier.build(1, b"x" * PLAIN_SIZE), 0)
        for size in (65_000, PLAIN_SIZE):
            with contextlib.suppress(OSError):
                target = Target(HOST[family], size=size, dont_fragment=True)
                carrier.send(target, carrier.build(2, b"x" * size), 0)
        before, departed, after = send(carrier, HOST[family], 3)

        assert before <= departed <= after


@pytest.mark.parametrize(("family", "raw"), KINDS, ids=NAMES)
def test_the_stamp_of_another_packet_is_nobodys(truth: Truth, family: int, raw: bool) -> None:
    with opened(truth, family, raw=raw) as carrier:
        queue = carrier._errors
        send(carrier, HOST[family], 1)
        send_at = time.monotonic_ns()
        carrier._socket.sendmsg([carrier.build(2, b"x" * PLAIN_SIZE)], queue.wanted, 0, (HOST[family], 0))
        late = queue._read()
        assert late is not None

        class Late:
            """A queue in which the stamp of the packet before comes during the call, and this one's never."""

            def __init__(self) -> None:
                self.entries = [late]

            def __call__(self) -> tuple[int, int] | None:
                return self.entries.pop() if self.entries else None

        queue._next = late[0] + 1
        queue._read = Late()  # type: ignore[method-assign]
        ahead = time.time_ns() - time.monotonic_ns()

        assert send_at <= late[1] - ahead <= time.monotonic_ns()
        assert queue.find_departure(send_at, ahead) == send_at


def test_a_kernel_that_stamps_nothing_sends_all_the_same(truth: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.ping.error_queue.SO_TIMESTAMPING", 0x7FFF)
    with opened(truth, V4, raw=False) as carrier:
        assert carrier._errors.wanted == []
        before, departed, after = send(carrier, HOST[V4])

        assert before <= departed <= after
        ready, _, _ = select.select([carrier], [], [], 20)
        assert ready
        assert [answer.status for answer in carrier.receive() if answer] == [Status.REPLY]


def _waits(carrier: Carrier) -> bool:
    """Whether an error stands in the queue; it is put back as one that is known."""
    errors = carrier.receive_errors()
    carrier._errors.reports = errors
    return bool(errors)
