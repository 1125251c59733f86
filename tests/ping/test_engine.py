"""The engine's own conduct: threads, closing, ceilings, full buffers, stalls, and machines that refuse."""

import asyncio
import json
import os
import random
import signal
import socket
import statistics
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from monitor.ping.choice import open_engine
from monitor.ping.course import Course
from monitor.ping.desk import Engine
from monitor.ping.engine import SocketEngine
from monitor.ping.mailbox import Mailbox
from monitor.ping.permission import PingForbidden, probe_permissions
from monitor.ping.reply import Reply, Status
from monitor.ping.summary import Summary
from monitor.ping.target import Target
from tests.deploy.process import wait_until
from tests.needs import need
from tests.ping.conftest import SOCKETS, engine_in
from tests.ping.network import FORBID, Namespace, Routed, Truth

SILENT, ANSWERING = "10.77.100.1", "10.77.0.2"


async def burst(engine: Engine, address: str, count: int, timeout: float = 1.0) -> list[Reply]:
    echoes = (engine.echo(address, index=index, timeout=timeout) for index in range(count))
    return list(await asyncio.gather(*echoes))


def ask_together(engine: SocketEngine, targets: list[Target]) -> list[Reply]:
    """Send one echo to each at the same moment, whatever else this process is at."""
    replies: list[Reply] = []
    done = threading.Event()

    def deliver(reply: Reply) -> None:
        replies.append(reply)
        if len(replies) == len(targets):
            done.set()

    engine.follow([Course(target, deliver, index=index) for index, target in enumerate(targets)])
    assert done.wait(60)
    return replies


def statuses(replies: list[Reply]) -> Counter[Status]:
    return Counter(reply.status for reply in replies)


def test_waiting_for_five_hundred_silent_hosts_holds_one_thread(sockets: Engine) -> None:
    async def watch() -> tuple[list[Reply], int]:
        before = threading.active_count()
        waiting = asyncio.create_task(burst(sockets, SILENT, 500, timeout=0.6))
        await asyncio.sleep(0.3)
        return await waiting, threading.active_count() - before

    replies, threads = asyncio.run(watch())

    assert statuses(replies) == {Status.TIMEOUT: 500}
    assert threads <= 1


@pytest.mark.parametrize("kind", SOCKETS)
def test_an_idle_engine_holds_no_thread(truth: Truth, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.ping.airspace.LINGER", 0)
    executor = truth.executor(1)
    with truth.inside():
        engine = open_engine(executor, prefer=kind)
    for _ in range(3):
        assert asyncio.run(engine.echo(ANSWERING, timeout=0.05)).status is Status.REPLY
        # The one thread of the executor is free for this as soon as nothing is in the air.
        assert executor.submit(int, "7").result(timeout=20) == 7
    engine.close()
    executor.shutdown()


def test_several_event_loops_and_plain_threads_share_one_engine(sockets: SocketEngine) -> None:
    heard: list[Reply] = []
    with ThreadPoolExecutor(4) as threads:
        bursts = [threads.submit(asyncio.run, burst(sockets, ANSWERING, 50)) for _ in range(4)]
        for index in range(50):
            sockets.follow([Course(Target(ANSWERING), heard.append, index=index)])
        replies = [reply for done in bursts for reply in done.result(timeout=30)]
    wait_until(lambda: len(heard) >= 50, "all replies")

    assert statuses(replies) == {Status.REPLY: 200}
    assert statuses(heard) == {Status.REPLY: 50}


def test_closing_reports_what_is_in_the_air_and_later_echoes_as_not_sent(truth: Truth) -> None:
    for kind in SOCKETS:
        with engine_in(truth, kind) as engine:

            async def close_in_flight(engine: Engine = engine) -> tuple[list[Reply], Reply]:
                waiting = asyncio.create_task(burst(engine, SILENT, 20, timeout=30))
                await asyncio.sleep(0.1)
                engine.close()
                return await waiting, await engine.echo(ANSWERING)

            replies, after = asyncio.run(close_in_flight())
            engine.close()

        assert statuses(replies) == {Status.NOT_SENT: 20}
        assert after.status is Status.NOT_SENT


def test_a_cancelled_echo_is_forgotten_and_the_others_go_on(engine: Engine) -> None:
    async def cancel_one() -> list[Reply]:
        silent = asyncio.create_task(engine.echo(SILENT, timeout=30))
        others = asyncio.create_task(burst(engine, ANSWERING, 5))
        await asyncio.sleep(0.05)
        silent.cancel()
        with pytest.raises(asyncio.CancelledError):
            await silent
        return await others

    assert statuses(asyncio.run(cancel_one())) == {Status.REPLY: 5}


def test_a_listener_that_fails_keeps_nothing_from_the_others(sockets: SocketEngine) -> None:
    heard: list[Reply] = []

    def fail(reply: Reply) -> None:
        raise ValueError(reply)

    sockets.follow([Course(Target(ANSWERING), deliver) for deliver in (fail, heard.append)])

    assert asyncio.run(sockets.echo(ANSWERING, index=2)).status is Status.REPLY
    wait_until(lambda: heard, "the other's reply")
    assert statuses(heard) == {Status.REPLY: 1}


def test_a_ceiling_spreads_a_burst_over_time(truth: Truth) -> None:
    with engine_in(truth, "datagram", packets_per_second=100) as engine:
        assert isinstance(engine, SocketEngine)
        replies = ask_together(engine, [Target(ANSWERING, timeout=20)] * 40)

    assert statuses(replies) == {Status.REPLY: 40}
    # Five at once, and the others a hundredth of a second apart: 350 ms, however the machine stalls.
    left = sorted(reply.sent_at for reply in replies)
    assert left[-1] - left[0] >= 300_000
    assert max(reply.delay_us for reply in replies) >= 300_000


@pytest.mark.parametrize("kind", SOCKETS)
def test_full_buffers_delay_packets_and_lose_none(routed: Routed, kind: str) -> None:
    need("tc")
    slow = ("tbf", "rate", "1mbit", "burst", "2000", "latency", "5ms")
    routed.client.run("tc", "qdisc", "add", "dev", "to-router", "root", *slow)
    try:
        with engine_in(routed.client, kind) as engine:
            assert isinstance(engine, SocketEngine)
            replies = ask_together(engine, [Target("10.2.0.2", timeout=5)] * 200)
    finally:
        routed.client.run("tc", "qdisc", "delete", "dev", "to-router", "root")

    assert statuses(replies) == {Status.REPLY: 200}
    assert engine.counts["retried"] > 0
    # 200 packets of 98 bytes at 1 Mbit/s take 157 ms, of which bucket and queue swallow 37.
    left = sorted(reply.sent_at for reply in replies)
    assert left[-1] - left[0] >= 90_000
    assert max(reply.delay_us for reply in replies) >= 5_000


@pytest.mark.parametrize(("kind", "host"), [("datagram", "127.0.0.1"), ("datagram", "::1"), ("raw", "127.0.0.1")])
def test_answers_that_the_kernel_has_no_room_for_are_not_measured_rather_than_lost(
    alone: Namespace, kind: str, host: str
) -> None:
    with engine_in(alone, kind) as engine:
        assert isinstance(engine, SocketEngine)
        (opened,) = [
            carrier._socket for carrier in engine._carriers.values() if carrier.family == Target(host).options.family
        ]
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)
        crowded = ask_together(engine, [Target(host, timeout=0.5)] * 200)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        dropped, roomy = engine.counts["dropped"], ask_together(engine, [Target(host)] * 200)

    assert set(statuses(crowded)) == {Status.REPLY, Status.NOT_SENT}
    assert dropped > 0
    assert statuses(roomy) == {Status.REPLY: 200}
    assert engine.counts["dropped"] == dropped


def test_packets_that_leave_together_have_round_trips_that_are_never_too_short(sockets: SocketEngine) -> None:
    nets = ("10.77.0.", "fd77::")
    targets = [Target(f"{net}{1 + number % 5}", timeout=5) for number in range(1000) for net in nets]
    replies = ask_together(sockets, targets)
    errors = [(reply.rtt_us or 0) - (1 + reply.index // 2 % 5) * 1000 for reply in replies]

    assert statuses(replies) == {Status.REPLY: 2000}
    assert min(errors) >= 0
    # Those of one call have one time.
    assert len({reply.sent_at for reply in replies}) < 1500


@pytest.mark.parametrize("kind", SOCKETS)
def test_one_that_may_not_leave_holds_none_back_that_leave_with_it(alone: Namespace, kind: str) -> None:
    need("nft")
    alone.run("nft", "add table ip f; add chain ip f o { type filter hook output priority 0; }")
    alone.run("nft", "add rule ip f o ip daddr 127.0.0.3 drop")
    hosts = [f"127.0.0.{1 + number % 6}" for number in range(60)]
    with engine_in(alone, kind) as engine:
        assert isinstance(engine, SocketEngine)
        replies = ask_together(engine, [Target(host) for host in hosts])

    blocked = [reply.index for reply in replies if reply.status is Status.BLOCKED]
    assert statuses(replies) == {Status.REPLY: 50, Status.BLOCKED: 10}
    assert sorted(blocked) == [index for index, host in enumerate(hosts) if host == "127.0.0.3"]


def test_a_turn_of_the_loop_has_no_more_to_do_however_much_there_is(sockets: SocketEngine) -> None:
    boarded, told, departed = list[int](), list[int](), list[int]()
    take, send, depart = sockets._mailbox.take, sockets._outbox.send, sockets._depart

    def count_boarded(most: int, *, idle: bool) -> list[Course]:
        courses = take(most, idle=idle)
        boarded.append(len(courses))
        return courses

    def count_told() -> None:
        told.append(len(sockets._outbox._waiting))
        send()

    def count_departed() -> int:
        departed.append(depart())
        return departed[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sockets._mailbox, "take", count_boarded)
        patch.setattr(sockets._outbox, "send", count_told)
        patch.setattr(sockets, "_depart", count_departed)
        hosts = [Target(host, timeout=2) for host in (ANSWERING, SILENT) for _ in range(1500)]
        replies = ask_together(sockets, hosts)

    assert statuses(replies) == {Status.REPLY: 1500, Status.TIMEOUT: 1500}
    assert (sum(boarded), sum(told), sum(departed)) == (3000, 3000, 3000)
    assert max(boarded) <= 2048
    assert max(departed) <= 192
    assert max(told) <= 192 + 384 + 255


@pytest.mark.parametrize(("address", "each"), [(ANSWERING, 2), (SILENT, 3)])
@pytest.mark.parametrize("kind", SOCKETS)
def test_an_echo_takes_few_turns_of_the_loop(truth: Truth, kind: str, address: str, each: int) -> None:
    # One to send it and one to read its answer, or two for its deadline; none to forget it.
    turns = list[int]()

    async def ask(engine: Engine) -> list[Reply]:
        target = Target(address, timeout=0.02)
        return [reply async for _, reply in engine.stream([target], interval=0.05, count=60)]

    with engine_in(truth, kind) as engine, pytest.MonkeyPatch.context() as patch:
        assert isinstance(engine, SocketEngine)
        turn = engine._turn
        patch.setattr("monitor.ping.airspace.LINGER", 100_000_000)
        patch.setattr(engine, "_turn", lambda: turns.append(1) or turn())
        replies = asyncio.run(ask(engine))
    assert len(replies) == 60
    assert len(turns) < 60 * (each + 0.5)


def test_what_comes_due_long_after_it_was_asked_for_is_taken_in_before() -> None:
    mailbox = Mailbox[int](lambda: None)
    mailbox.put(range(5))
    taken = [mailbox.take(2, idle=True), mailbox.take(2, idle=True)]

    assert taken == [[0, 1], [2, 3]]
    assert os.eventfd_read(mailbox.alarm) > 0
    assert mailbox.take(2, idle=True) == [4]
    os.close(mailbox.alarm)


def test_an_id_shared_with_another_process_confuses_no_raw_socket(truth: Truth) -> None:
    random.seed(7)
    with engine_in(truth, "raw") as one:
        random.seed(7)
        with engine_in(truth, "raw") as other:

            async def all_three() -> list[list[Reply]]:
                # Each goes on to listen while something of its own is in the air.
                listening = burst(one, SILENT, 1, timeout=2)
                return list(
                    await asyncio.gather(listening, *(burst(engine, "10.77.0.30", 50) for engine in (one, other)))
                )

            silent, *answered = asyncio.run(all_three())

            assert isinstance(one, SocketEngine)
            assert one.counts["stray"] == 50
    assert statuses(silent) == {Status.TIMEOUT: 1}
    assert [statuses(replies) for replies in answered] == [{Status.REPLY: 50}] * 2


@pytest.mark.parametrize("piece_ms", [2, 0.5, 0.2, 0.1])
def test_an_event_loop_that_computes_without_a_pause_delays_no_packet(sockets: Engine, piece_ms: float) -> None:
    async def compute() -> None:
        while True:
            until = time.perf_counter() + piece_ms / 1000
            while time.perf_counter() < until:
                pass
            await asyncio.sleep(0)

    async def ask() -> list[Reply]:
        computing = asyncio.create_task(compute())
        targets = [Target(ANSWERING, timeout=5) for _ in range(20)]
        replies = [reply async for _, reply in sockets.stream(targets, interval=1, count=3)]
        computing.cancel()
        return replies

    replies = asyncio.run(ask())
    assert statuses(replies) == {Status.REPLY: 60}
    # One that had to wait until somebody happens to look away would be late by a large part of a second.
    assert statistics.median(reply.delay_us for reply in replies) < 100_000


STALLED = """
import asyncio, json, os, signal, sys
from concurrent.futures import ThreadPoolExecutor
from monitor.ping import Target, open_engine

async def main():
    with ThreadPoolExecutor(2) as executor:
        engine = open_engine(executor, prefer="datagram")
        targets = [Target("10.77.0.5", timeout=0.2), Target("10.77.100.5", timeout=0.2)]
        outcomes = []
        async for target, reply in engine.stream(targets, interval=0.1, count=40):
            outcomes.append((target.address, reply.index, reply.status, reply.sent_at))
            if len(outcomes) == 10:
                print("running", flush=True)
        engine.close()
    print(json.dumps(outcomes))

asyncio.run(main())
"""


def test_a_process_that_stalls_reports_not_sent_and_never_a_loss(truth: Truth) -> None:
    process = truth.popen(sys.executable, "-c", STALLED, stdout=-1)
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    process.send_signal(signal.SIGSTOP)
    time.sleep(1.7)
    process.send_signal(signal.SIGCONT)
    output, _ = process.communicate(timeout=60)
    outcomes = json.loads(output)
    answering = [status for address, _, status, _ in outcomes if address == "10.77.0.5"]
    silent = [status for address, _, status, _ in outcomes if address == "10.77.100.5"]

    assert len(answering) == len(silent) == 40
    assert set(answering) == {"reply", "not_sent"}
    assert set(silent) == {"timeout", "not_sent"}
    assert answering.count("not_sent") >= 15


def test_a_hundred_thousand_packets_without_one_unexplained(alone: Namespace) -> None:
    hosts, each = 1000, 100
    summaries = [Summary() for _ in range(hosts)]
    with engine_in(alone, "datagram") as engine:
        assert isinstance(engine, SocketEngine)
        courses = [
            Course(
                Target(f"127.1.{number // 250}.{number % 250 + 1}", timeout=5),
                summary.add,
                interval=0.08,
                count=each,
            )
            for number, summary in enumerate(summaries)
        ]
        engine.follow(courses)
        deadline = time.monotonic() + 60
        while sum(each.sent + each.not_sent for each in summaries) < 100_000 and time.monotonic() < deadline:
            time.sleep(0.1)
    whole = Summary()
    for summary in summaries:
        whole.merge(summary)

    assert (whole.sent + whole.not_sent, whole.lost, whole.duplicates) == (hosts * each, 0, 0)
    assert {summary.sent + summary.not_sent for summary in summaries} == {each}


def test_courses_come_and_go_while_packets_are_in_flight(sockets: SocketEngine) -> None:
    heard: list[Reply] = []
    courses = [Course(Target(f"10.77.0.{number}"), heard.append, interval=0.02, count=None) for number in range(1, 40)]
    for course in courses:
        sockets.follow([course])
        time.sleep(0.005)
    for course in courses:
        course.stop()
    time.sleep(0.3)
    settled = len(heard)
    time.sleep(0.3)

    assert len(heard) == settled >= 39
    # A busy machine may miss a slot of a fiftieth of a second, and says so.
    assert set(statuses(heard)) <= {Status.REPLY, Status.NOT_SENT}


@pytest.mark.parametrize("kind", SOCKETS)
def test_a_firewall_of_this_machine_is_a_reason_of_its_own(alone: Namespace, kind: str) -> None:
    need("nft")
    alone.run("nft", "add table ip f; add chain ip f o { type filter hook output priority 0; }")
    alone.run("nft", "add rule ip f o ip protocol icmp drop")
    with engine_in(alone, kind) as engine:
        v4, v6 = asyncio.run(engine.echo("127.0.0.1")), asyncio.run(engine.echo("::1"))

    assert (v4.status, v6.status) == (Status.BLOCKED, Status.REPLY)
    assert v4.lost


@pytest.mark.parametrize("kind", ["datagram", "raw", "command"])
def test_without_a_route_a_ping_is_lost_for_that_reason(alone: Namespace, kind: str) -> None:
    with engine_in(alone, kind) as engine:
        replies = [asyncio.run(engine.echo(address)) for address in ("192.0.2.1", "2001:db8::1")]

    assert [reply.status for reply in replies] == [Status.NO_ROUTE] * 2


def test_without_ipv6_the_other_family_still_works(alone: Namespace) -> None:
    alone.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
    with engine_in(alone, "datagram") as engine:
        replies = [asyncio.run(engine.echo(address)) for address in ("127.0.0.1", "::1")]

    assert [reply.status for reply in replies] == [Status.REPLY, Status.NO_ROUTE]


def test_where_datagram_sockets_are_forbidden_raw_ones_serve_and_say_why(alone: Namespace) -> None:
    alone.run("sysctl", "-qw", FORBID)
    with alone.executor() as executor:
        with alone.inside():
            datagram, raw, command = probe_permissions()
            engine = open_engine(executor)
        engine.close()

    assert not datagram.permitted
    assert datagram.cure == "sysctl -w net.ipv4.ping_group_range='0 2147483647'"
    assert raw.permitted
    assert command.permitted
    assert engine.name == "raw"
    assert datagram.cure in engine.why


FORBIDDEN = """
from concurrent.futures import ThreadPoolExecutor
from monitor.ping import PingForbidden, open_engine

try:
    open_engine(ThreadPoolExecutor(1))
except PingForbidden as error:
    print(error.cure)
"""


def test_where_nothing_is_permitted_the_cure_is_told(alone: Namespace) -> None:
    need("setpriv")
    alone.run("sysctl", "-qw", FORBID)
    nobody = ("setpriv", "--reuid", "65534", "--bounding-set", "-all", "--inh-caps", "-all", "--no-new-privs")
    done = alone.run(*nobody, sys.executable, "-c", FORBIDDEN)

    assert done.stdout.splitlines()[0] == "sysctl -w net.ipv4.ping_group_range='0 2147483647'"


def test_an_unknown_preference_falls_back_to_what_is_there(alone: Namespace) -> None:
    with alone.executor() as executor:
        with alone.inside():
            engine = open_engine(executor, prefer="pigeon")
        engine.close()

    assert engine.name == "datagram"


def test_ping_forbidden_is_an_error_with_a_cure() -> None:
    assert PingForbidden("no", "yes").cure == "yes"


@pytest.mark.parametrize(
    "options",
    [
        {"address": "8.8.8"},
        {"address": "::1", "ttl": 0},
        {"address": "::1", "size": -1},
        {"address": "1.1.1.1\0"},
    ],
)
def test_a_target_that_makes_no_sense_is_refused(options: dict[str, str | int]) -> None:
    with pytest.raises(ValueError, match=r"must be|not a numeric address"):
        Target(**options)  # type: ignore[arg-type]
