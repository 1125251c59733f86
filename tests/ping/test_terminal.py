"""`manage.py ping` as somebody types it: in a pipe, in a terminal, with Ctrl-C."""

import csv
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from monitor.ping.reply import Reply, Status
from monitor.ping.report import COLUMNS, Row
from monitor.ping.table import build_table, judge
from monitor.ping.target import Target
from tests.ping.network import FORBID, Namespace, Truth

COMMAND = (sys.executable, str(Path(__file__).parents[2] / "manage.py"), "ping")
# A database that nobody could open: the command needs none.
SURROUNDINGS = {**os.environ, "DATABASE_URL": "sqlite:////nowhere/at/all.sqlite3", "COLUMNS": "120", "TERM": "xterm"}


def ping(network: Namespace, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return network.run(*COMMAND, *arguments, check=False, env=SURROUNDINGS)


def ping_in_terminal(network: Namespace, *arguments: str, interrupt_after: str = "") -> tuple[int, str]:
    """Run the command in a terminal, press Ctrl-C when a text has appeared, and return exit code and screen."""
    ours, theirs = pty.openpty()
    process = network.popen(*COMMAND, *arguments, stdin=theirs, stdout=theirs, stderr=theirs, env=SURROUNDINGS)
    os.close(theirs)
    screen = b""
    while True:
        try:
            screen += os.read(ours, 4096)
        except OSError:
            break
        if interrupt_after and interrupt_after.encode() in screen:
            interrupt_after = ""
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
    os.close(ours)
    return process.wait(60), screen.decode()


def test_one_host_reads_as_ping_prints_it(truth: Truth) -> None:
    done = ping(truth, "10.77.0.12", "-c", "3", "-i", "0.3")
    lines = done.stdout.splitlines()

    assert done.returncode == 0
    assert lines[0] == "PING 10.77.0.12 (10.77.0.12) 56 data bytes"
    for sequence, line in enumerate(lines[1:4], 1):
        assert re.fullmatch(rf"64 bytes from 10\.77\.0\.12: icmp_seq={sequence} ttl=61 time=1\d\.\d ms", line)
    assert lines[4:6] == ["", "--- 10.77.0.12 ping statistics ---"]
    assert re.fullmatch(r"3 packets transmitted, 3 received, 0% packet loss, time \d+ms", lines[6])
    assert re.fullmatch(r"rtt min/avg/max/mdev = 12\.\d{3}(/\d+\.\d{3}){3} ms", lines[7])


def test_a_lost_ping_has_a_line_and_the_exit_code_is_one(truth: Truth) -> None:
    done = ping(truth, "fd77::100:1", "-c", "2", "-i", "0.3", "-W", "0.2")

    assert done.returncode == 1
    assert done.stdout.count("No answer from fd77::100:1") == 2
    assert "2 packets transmitted, 0 received, 100% packet loss" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["10.77.0.1", "-f"], "unrecognized arguments"),
        ([], "the following arguments are required: HOST"),
        (["10.77.0.1", "-c", "0"], "-c is at least 1"),
        (["10.77.0.1", "-i", "0"], "-i is 0.002 to 86400 seconds"),
        (["10.77.0.1", "-i", "nan"], "-i is 0.002 to 86400 seconds"),
        (["10.77.0.1", "-W", "0"], "timeout must be"),
        (["10.77.0.1", "-s", "70000"], "size must be"),
        (["10.77.0.1", "--ttl", "256"], "ttl must be"),
        (["a..b"], "not an address or host name"),
        (["10.77.0.1", "-6"], "IPv6"),
        (["10.77.0.1", "--json", "--csv"], "not allowed with"),
    ],
)
def test_what_makes_no_sense_is_one_sentence_and_exit_code_two(
    truth: Truth, arguments: list[str], sentence: str
) -> None:
    done = ping(truth, *arguments)

    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_json_has_a_line_for_each_reply_and_each_host(truth: Truth) -> None:
    done = ping(truth, "10.77.0.3", "10.77.50.3", "-c", "2", "--json")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    replies = [record for record in records if record["event"] == "reply"]
    summaries = {record["host"]: record for record in records if record["event"] == "summary"}

    assert len(replies) == 4
    assert {record["status"] for record in replies if record["host"] == "10.77.0.3"} == {"reply"}
    assert [summaries[host]["received"] for host in ("10.77.0.3", "10.77.50.3")] == [2, 1]
    assert summaries["10.77.50.3"]["loss"] == 0.5


def test_csv_is_a_table_of_replies(truth: Truth) -> None:
    done = ping(truth, "fd77::0:3", "-c", "2", "--csv")
    heading, *rows = csv.reader(io.StringIO(done.stdout))

    assert tuple(heading) == COLUMNS
    assert [row[2:4] for row in rows] == [["0", "reply"], ["1", "reply"]]
    assert all(3_000 <= int(row[heading.index("rtt_us")]) < 100_000 for row in rows)


def test_ctrl_c_prints_the_summary(truth: Truth) -> None:
    code, screen = ping_in_terminal(truth, "10.77.0.1", "-i", "0.1", interrupt_after="icmp_seq=2")

    assert code == 0
    assert "--- 10.77.0.1 ping statistics ---" in screen
    assert "0% packet loss" in screen
    assert "Traceback" not in screen


def test_ctrl_c_before_any_answer_is_exit_code_one(truth: Truth) -> None:
    code, screen = ping_in_terminal(truth, "10.77.100.1", "-W", "30", interrupt_after="data bytes")

    assert code == 1
    assert "ping statistics" in screen
    assert "Traceback" not in screen


def test_several_hosts_in_a_terminal_are_a_table_with_the_worst_first(truth: Truth) -> None:
    hosts = ("10.77.0.2", "10.77.100.2", "10.77.50.2")
    code, screen = ping_in_terminal(truth, *hosts, "-c", "4", "-i", "0.4", "-W", "0.3")
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.rpartition("host")[2])

    assert code == 1
    assert re.search(
        r"✕ no answer +10\.77\.100\.2.* 100\.0 +4\s+▲ some loss +10\.77\.50\.2.* 50\.0 +4\s+✓ answers +10\.77\.0\.2",
        last,
    )


def test_a_reader_that_leaves_ends_it_without_a_word(truth: Truth) -> None:
    process = truth.popen(
        *COMMAND, "10.77.0.1", "-i", "0.05", stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=SURROUNDINGS
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    with process.stderr:
        assert process.wait(60) == 1
        assert process.stderr.read() == ""


def test_where_nothing_is_permitted_the_line_that_permits_it_is_printed(alone: Namespace) -> None:
    alone.run("sysctl", "-qw", FORBID)
    powerless = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all", "--no-new-privs")
    done = alone.run(*powerless, *COMMAND, "127.0.0.1", "-c", "1", check=False, env=SURROUNDINGS)

    assert done.returncode == 2
    assert done.stdout == ""
    assert "sysctl -w net.ipv4.ping_group_range='0 2147483647'" in done.stderr


def test_a_state_is_a_shape_and_a_word() -> None:
    def state(*statuses: Status) -> str:
        row = Row("h", Target("192.0.2.1"))
        for index, status in enumerate(statuses):
            row.add(Reply(index, status, time.time_ns() // 1000, 1000 if status is Status.REPLY else None))
        return judge(row.summary)[0]

    assert state() == "◌ starting"
    assert state(Status.NOT_SENT) == "▨ not measured"
    assert state(Status.REPLY) == "✓ answers"
    assert state(Status.REPLY, Status.TIMEOUT) == "▲ some loss"
    assert state(Status.TIMEOUT) == "✕ no answer"


def test_a_table_without_replies_has_a_row_for_each_host() -> None:
    output = io.StringIO()
    Console(file=output, width=100).print(build_table([Row("one", Target("192.0.2.1")), Row("two", Target("::1"))]))

    assert [line.split()[:4] for line in output.getvalue().splitlines()[1:]] == [
        ["◌", "starting", "one", "192.0.2.1"],
        ["◌", "starting", "two", "::1"],
    ]
