"""The benchmark's own measuring instruments, held against things whose size is known."""

import asyncio
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import websockets

from tests.bench import echoes, process, table
from tests.bench.applications import Ancestor, Pingsite, clean_environment
from tests.bench.runs import Observation, Visitor
from tests.bench.watching import Ear
from tests.bench.websocket import PING, TEXT, Client, take_frames

BURN = "import time\nwhile time.process_time() < 0.3: pass"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BURN!r}]); print(flush=True); input()"


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[bytes]]:
    """A living process whose only child burned 0.3 s of CPU and is gone."""
    command, pipe = [sys.executable, "-c", PARENT], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as started:
        assert started.stdout
        started.stdout.readline()
        yield started
        started.kill()


def make_visitor(*numbers: int, gap: float = 1.0) -> Visitor:
    visitor = Visitor.__new__(Visitor)
    visitor.pressed_at = 0
    visitor.lines = [(number, round((place + 1) * gap * 1e9)) for place, number in enumerate(numbers)]
    return visitor


def test_frames_come_out_whole_wherever_the_stream_was_cut() -> None:
    long = b"x" * 300
    stream = b"\x81\x05hello" + b"\x89\x00" + b"\x81\x7e" + struct.pack("!H", 300) + long
    for cut in range(len(stream) + 1):
        buffer = bytearray(stream[:cut])
        frames = take_frames(buffer)
        buffer += stream[cut:]
        assert frames + take_frames(buffer) == [(TEXT, b"hello"), (PING, b""), (TEXT, long)]
        assert not buffer


@pytest.mark.parametrize("head", [b"\x01\x01a", b"\x81\x81aaaaa", b"\x81\x7f" + bytes(8)])
def test_a_frame_that_no_server_here_sends_is_an_error(head: bytes) -> None:
    with pytest.raises(ValueError, match="got"):
        take_frames(bytearray(head))


def test_the_client_speaks_with_a_server_that_it_did_not_grow_up_with() -> None:
    async def answer(peer: websockets.ServerConnection) -> None:
        await (await peer.ping())
        await peer.send((await peer.recv(decode=True)) * 100)
        await peer.close(4404)

    async def talk() -> tuple[list[tuple[str, int]], int | None]:
        heard: list[tuple[str, int]] = []
        async with websockets.serve(answer, "127.0.0.1", 0) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            _transport, client = await asyncio.get_running_loop().create_connection(
                lambda: Client(f"http://127.0.0.1:{port}", "/", lambda text, at: heard.append((text, at))),
                "127.0.0.1",
                port,
            )
            await client.accepted
            client.send("안녕")
            async with asyncio.timeout(10):
                await client.closed.wait()
        return heard, client.close_code

    before = time.time_ns()
    [(text, arrived_at)], code = asyncio.run(talk())
    assert (text, code) == ("안녕" * 100, 4404)
    assert before < arrived_at < time.time_ns()


def test_a_refused_upgrade_says_what_the_server_said() -> None:
    async def knock() -> None:
        async with websockets.serve(lambda peer: peer.close(), "127.0.0.1", 0, origins=[None]) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            _transport, client = await asyncio.get_running_loop().create_connection(
                lambda: Client("http://bob", "/", lambda text, at: None), "127.0.0.1", port
            )
            await client.accepted

    with pytest.raises(ConnectionRefusedError, match="403"):
        asyncio.run(knock())


def test_the_cpu_of_a_child_that_is_gone_is_counted(parent: subprocess.Popen[bytes]) -> None:
    assert process.find_tree(parent.pid) == [parent.pid]
    assert 0.25 < process.measure_reaped(parent.pid) < 3
    assert process.measure_cpu(parent.pid) > process.measure_reaped(parent.pid)


def test_the_tree_of_this_process_holds_its_child(parent: subprocess.Popen[bytes]) -> None:
    own = os.getpid()
    assert {own, parent.pid} <= set(process.find_tree(own))


def test_memory_grows_by_what_is_taken() -> None:
    own = os.getpid()
    before = process.measure_memory(own)
    taken = bytearray(b"x") * 50_000_000
    assert 45e6 < process.measure_memory(own) - before < 60e6
    assert taken


def test_only_an_echo_reply_with_its_time_is_heard() -> None:
    header = bytes([0x45]) + bytes(19)
    stamp = [(socket.SOL_SOCKET, echoes.SO_TIMESTAMPNS, struct.pack("@qq", 7, 5))]
    assert echoes.read_echo(header + b"\x00\x00", stamp) == 7_000_000_005
    assert echoes.read_echo(header + b"\x08\x00", stamp) is None
    assert echoes.read_echo(header + b"\x00\x00", []) is None


def test_five_lines_in_order_are_five_and_the_gaps_are_between_them() -> None:
    seen = Observation(1)
    seen.add(make_visitor(0, 1, 2, 3, 4))
    assert (seen.received, seen.in_order, seen.first, seen.last, seen.gaps) == (5, 1, [1.0], [5.0], [1.0] * 4)


@pytest.mark.parametrize(
    ("numbers", "received"), [((0, 2, 1, 3, 4), 5), ((0, 1, 2, 3), 4), ((0, 0, 1, 2, 3, 4), 5), ((), 0)]
)
def test_lines_missing_doubled_or_swapped_are_not_in_order(numbers: tuple[int, ...], received: int) -> None:
    seen = Observation(1)
    seen.add(make_visitor(*numbers))
    assert (seen.expected, seen.received, seen.in_order) == (5, received, 0)


@pytest.mark.parametrize(("share", "value"), [(0, 1), (0.5, 50), (0.99, 99), (0.991, 100), (1, 100)])
def test_a_quantile_is_one_of_the_values(share: float, value: int) -> None:
    assert table.quantile(range(100, 0, -1), share) == value
    assert table.quantile([], share) is None


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.00123, "1.23 ms"), (0.0203, "20.3 ms"), (1.234, "1234 ms"), (0, "0 ms")]
)
def test_a_number_has_three_figures_and_its_unit(seconds: float, text: str) -> None:
    assert table.MILLISECONDS(seconds) == text


def test_a_number_just_below_a_power_of_ten_has_three_figures_too() -> None:
    assert [table.SECONDS(value) for value in (0.9996, 0.9994, 9.996)] == ["1.00 s", "0.999 s", "10.0 s"]


def test_a_server_under_load_is_not_pointed_at_a_database_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://alice@db/production")
    monkeypatch.setenv("PINGSITE_ORIGINS", "https://alice.example")
    monkeypatch.setenv("LC_ALL", "C")
    assert clean_environment().get("LC_ALL") == "C"
    assert not {"DATABASE_URL", "PINGSITE_ORIGINS"} & clean_environment().keys()


def test_the_table_leaves_out_what_was_not_measured() -> None:
    theirs, ours = Observation(500), Observation(500)
    theirs.add(make_visitor(0, 1, 2, 3, 4, gap=3.0))
    ours.add(make_visitor(0, 1, 2, 3, 4))
    text = table.format_table({500: theirs}, {500: ours})
    assert "| 500 | gap between lines, p99 | 3.00 s | 1.00 s | 3 | ≤ 1.06 s |" in text
    assert "memory" not in text


def test_a_sentence_says_what_was_seen_of_a_host_that_never_answers() -> None:
    seen = Observation(1)
    seen.add(make_visitor(0, 1, 2, 3, 4, gap=1.01))
    seen.cpu.append(0.00116)
    expected = "1 sockets: 5 of 5, 100.0%; gap between lines, p99 1.01 s; 1.16 ms of CPU a run."
    assert table.describe_silence(seen).endswith(expected)


def test_each_application_finds_its_own_lines() -> None:
    assert Pingsite().read_line('{"event": "server", "run": "x", "data1": 3, "data": "64 bytes"}') == 3
    assert Pingsite().read_line('{"event": "finished", "run": "x"}') is None
    assert Ancestor().read_line('42["server",{"data1":3,"data":"64 bytes"}]') == 3
    assert Ancestor().read_line('40{"sid":"x"}') is None
    assert [Ancestor().answer(text) for text in ('0{"sid":"x"}', "2", "42[]")] == ["40", "3", None]


def test_an_ear_tells_echoes_from_rows_and_counts_from_the_answer_on() -> None:
    ear = Ear("")
    ear._hear('{"event": "line", "number": 7, "t": 1000, "us": 2500}', 1_010_000_000)
    ear._hear('{"event": "line", "number": 8, "t": 2000, "us": "timeout"}', 2_010_000_000)
    ear._hear('{"event": "hosts", "rows": [[1], [2]], "figures": {"late_us": 5}}', 0)
    assert [(number, round(delay, 4)) for number, delay in ear.lines] == [(7, 0.0075)]
    assert (ear.rows, ear.figures) == (2, [{"late_us": 5}])
