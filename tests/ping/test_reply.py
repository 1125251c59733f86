"""The lines that people read, one for every outcome."""

from typing import Any

import pytest

from monitor.ping.reply import Reply, Status, format_line, format_time

ADDRESS = "8.8.8.8"


def line(status: Status, **fields: Any) -> str:
    return format_line(Reply(2, status, 0, **fields), ADDRESS)


def test_an_answer_reads_as_ping_prints_it() -> None:
    reply = Reply(0, Status.REPLY, 0, 12_733, ttl=117, source=ADDRESS, size=64)

    assert format_line(reply, ADDRESS) == "64 bytes from 8.8.8.8: icmp_seq=1 ttl=117 time=12.7 ms"


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [(0, "0.000"), (52, "0.052"), (999, "0.999"), (1_534, "1.53"), (12_733, "12.7"), (250_254, "250")],
)
def test_a_time_has_the_digits_of_ping(microseconds: int, text: str) -> None:
    assert format_time(microseconds) == text


def test_a_lost_ping_has_a_line_too() -> None:
    assert line(Status.TIMEOUT) == "No answer from 8.8.8.8: icmp_seq=3 timeout"


def test_a_router_that_refuses_is_in_the_line() -> None:
    text = line(Status.HOST_UNREACHABLE, source="10.0.0.1")

    assert text == "From 10.0.0.1 icmp_seq=3 Destination Host Unreachable"


def test_a_second_and_a_late_answer_are_marked() -> None:
    fields = {"rtt_us": 1_534, "ttl": 64, "source": ADDRESS, "size": 64}

    assert line(Status.DUPLICATE, **fields).endswith("icmp_seq=3 ttl=64 time=1.53 ms (DUP!)")
    assert line(Status.LATE, **fields).endswith("icmp_seq=3 ttl=64 time=1.53 ms (LATE!)")


def test_every_status_has_a_line_of_its_own_that_names_the_packet() -> None:
    lines = {line(status) for status in Status}

    assert len(lines) == len(Status)
    assert all("icmp_seq=3" in text for text in lines)


def test_only_what_was_measured_can_be_lost() -> None:
    outcomes = {status: Reply(0, status, 0) for status in Status}

    assert not outcomes[Status.REPLY].lost
    assert outcomes[Status.TIMEOUT].lost
    assert outcomes[Status.NO_ROUTE].lost
    assert not outcomes[Status.NOT_SENT].lost
    assert not outcomes[Status.NOT_SENT].measured
    assert not any(outcomes[status].lost for status in (Status.LATE, Status.DUPLICATE, Status.REDIRECT))
