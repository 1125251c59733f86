"""What the ping programs of iputils and busybox print, as recorded, and the engine that runs them."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.ping.command import CommandEngine, Run, build_command, parse_output
from monitor.ping.reply import Reply, Status
from monitor.ping.target import Target

RECORDINGS = Path(__file__).parent / "recordings"
SECOND = 1_000_000

OUTCOMES = {
    "iputils-reply-v4": Status.REPLY,
    "iputils-reply-v6": Status.REPLY,
    "iputils-slow-v4": Status.REPLY,
    "iputils-duplicate-v4": Status.REPLY,
    "iputils-lost-v4": Status.TIMEOUT,
    "iputils-lost-v6": Status.TIMEOUT,
    "iputils-bad-checksum-v4": Status.TIMEOUT,
    "iputils-wrong-sender-v4": Status.TIMEOUT,
    "iputils-wrong-sender-v6": Status.TIMEOUT,
    "iputils-wrong-sequence-v4": Status.TIMEOUT,
    "iputils-wrong-sequence-v6": Status.TIMEOUT,
    "iputils-damaged-v4": Status.CORRUPT,
    "iputils-truncated-v4": Status.CORRUPT,
    "iputils-redirect-v4": Status.NOT_SENT,
    "iputils-no-permission-v4": Status.NOT_SENT,
    "iputils-net-unreachable-v4": Status.NET_UNREACHABLE,
    "iputils-host-unreachable-v4": Status.HOST_UNREACHABLE,
    "iputils-protocol-unreachable-v4": Status.PROTOCOL_UNREACHABLE,
    "iputils-port-unreachable-v4": Status.PORT_UNREACHABLE,
    "iputils-source-route-failed-v4": Status.UNREACHABLE,
    "iputils-parameter-problem-v4": Status.UNREACHABLE,
    "iputils-prohibited-v4": Status.PROHIBITED,
    "iputils-too-big-v4": Status.TOO_BIG,
    "iputils-hops-exceeded-v4": Status.TIME_EXCEEDED,
    "iputils-no-route-v6": Status.NET_UNREACHABLE,
    "iputils-address-unreachable-v6": Status.HOST_UNREACHABLE,
    "iputils-port-unreachable-v6": Status.PORT_UNREACHABLE,
    "iputils-beyond-scope-v6": Status.UNREACHABLE,
    "iputils-parameter-problem-v6": Status.PROTOCOL_UNREACHABLE,
    "iputils-prohibited-v6": Status.PROHIBITED,
    "iputils-policy-v6": Status.PROHIBITED,
    "iputils-reject-route-v6": Status.PROHIBITED,
    "iputils-too-big-v6": Status.TOO_BIG,
    "iputils-hops-exceeded-v6": Status.TIME_EXCEEDED,
    "iputils-router-hops-exceeded-v4": Status.TIME_EXCEEDED,
    "iputils-router-hops-exceeded-v6": Status.TIME_EXCEEDED,
    "iputils-router-too-big-v4": Status.TOO_BIG,
    "iputils-local-too-big-v4": Status.TOO_BIG,
    "iputils-local-too-big-v6": Status.TOO_BIG,
    "iputils-local-no-route-v4": Status.NO_ROUTE,
    "iputils-local-no-route-v6": Status.NO_ROUTE,
    "iputils-local-unreachable-v4": Status.NO_ROUTE,
    "iputils-local-prohibited-v4": Status.BLOCKED,
    "busybox-reply-v4": Status.REPLY,
    "busybox-reply-v6": Status.REPLY,
    "busybox-slow-v4": Status.REPLY,
    "busybox-duplicate-v4": Status.REPLY,
    "busybox-lost-v4": Status.TIMEOUT,
    "busybox-lost-v6": Status.TIMEOUT,
    "busybox-wrong-sender-v4": Status.TIMEOUT,
    "busybox-wrong-sender-v6": Status.TIMEOUT,
    "busybox-wrong-sequence-v4": Status.TIMEOUT,
    "busybox-wrong-sequence-v6": Status.TIMEOUT,
    # busybox tells of no error but those of this machine.
    "busybox-host-unreachable-v4": Status.TIMEOUT,
    "busybox-address-unreachable-v6": Status.TIMEOUT,
    "busybox-prohibited-v4": Status.TIMEOUT,
    "busybox-hops-exceeded-v6": Status.TIMEOUT,
    "busybox-local-no-route-v4": Status.NO_ROUTE,
    "busybox-local-no-route-v6": Status.NO_ROUTE,
    "busybox-local-unreachable-v4": Status.NO_ROUTE,
    "busybox-local-prohibited-v4": Status.BLOCKED,
    "busybox-local-blocked-v4": Status.BLOCKED,
}


def read(name: str, elapsed_us: int = SECOND) -> Reply:
    """Parse a recording as the output of a run that took so long."""
    text = (RECORDINGS / f"{name}.txt").read_text()
    address = text.partition("\n")[0].rpartition(" ")[2]
    return parse_output(text, Target(address), 4, 1_700_000_000_000_000, elapsed_us)


@pytest.mark.parametrize(("name", "status"), OUTCOMES.items())
def test_what_a_ping_program_printed_is_understood(name: str, status: Status) -> None:
    reply = read(name)

    assert reply.status is status
    assert (reply.index, reply.sent_at) == (4, 1_700_000_000_000_000)
    assert (reply.rtt_us is not None) == (status is Status.REPLY)


def test_every_recorded_failure_is_one() -> None:
    answered = {path.stem for path in RECORDINGS.glob("*.txt") if read(path.stem).status is Status.REPLY}

    assert answered - set(OUTCOMES) <= {
        # busybox does not look at what the answer brought back.
        "busybox-bad-checksum-v4",
        "busybox-damaged-v4",
        "busybox-redirect-v4",
        "busybox-router-hops-exceeded-v6",
        "busybox-wrong-token-v4",
    }


def test_an_answer_brings_its_details() -> None:
    assert read("iputils-reply-v4") == Reply(
        4, Status.REPLY, 1_700_000_000_000_000, 12_314, ttl=61, source="10.77.0.12", size=64
    )


def test_the_round_trip_has_microseconds_though_the_line_rounds_them_away() -> None:
    reply = read("iputils-slow-v4")

    assert "time=250 ms" in (RECORDINGS / "iputils-slow-v4.txt").read_text()
    assert reply.rtt_us is not None
    assert reply.rtt_us % 1000 != 0


def test_a_router_that_refuses_is_named() -> None:
    assert read("iputils-host-unreachable-v4").source == "10.99.0.1"
    assert read("iputils-hops-exceeded-v6").source == "fd99::1"


def test_a_round_trip_longer_than_the_run_is_not_believed() -> None:
    assert read("iputils-reply-v4", elapsed_us=12_000).status is Status.CORRUPT


def test_silence_counts_as_blocked_when_the_program_did_not_wait() -> None:
    assert read("iputils-local-blocked-v4", elapsed_us=3_000).status is Status.BLOCKED
    assert read("iputils-lost-v4", elapsed_us=SECOND).status is Status.TIMEOUT


@given(st.text() | st.binary().map(lambda data: data.decode("ascii", "replace")))
def test_no_text_makes_the_parser_raise_or_count_an_answer(text: str) -> None:
    reply = parse_output(text, Target("10.0.0.1"), 0, 0, SECOND)

    assert reply.status is not Status.REPLY


def test_the_command_has_numbers_only_and_the_address_after_two_dashes() -> None:
    command = build_command("/bin/ping", Target("fd77::1", timeout=0.25, size=4, ttl=9, source="fd76::1"))

    assert command == [
        *("/bin/ping", "-6", "-n", "-c", "1", "-W", "0.250"),
        *("-s", "16", "-t", "9", "-I", "fd76::1", "--", "fd77::1"),
    ]


def test_a_killed_run_ends_at_once_and_a_run_killed_before_never_begins() -> None:
    run = Run(["sleep", "60"], limit=60)
    with ThreadPoolExecutor(1) as executor:
        running = executor.submit(run.execute)
        while run._process is None:
            time.sleep(0.001)
        run.kill()

        assert running.result(timeout=20) is None
    assert run.execute() is None


def test_a_run_over_its_limit_is_killed_and_says_nothing() -> None:
    assert Run(["sleep", "60"], limit=0.05).execute() is None


def test_a_program_that_is_not_there_is_not_a_lost_packet() -> None:
    async def ask() -> Reply:
        with ThreadPoolExecutor(1) as executor:
            return await CommandEngine(executor, "", "/nowhere/ping").echo("127.0.0.1")

    assert asyncio.run(ask()).status is Status.NOT_SENT
