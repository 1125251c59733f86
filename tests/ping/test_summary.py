"""A summary against the plain formulas, added one by one or merged from parts."""

import itertools
import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.ping.reply import Reply, Status
from monitor.ping.summary import Summary, format_summary, summarise

LOST = [status for status in Status if Reply(0, status, 0).lost]
rtts = st.integers(0, 5_000_000)
outcomes = st.lists(
    st.tuples(st.just(Status.REPLY), rtts) | st.tuples(st.sampled_from([s for s in Status if s != "reply"]), rtts),
    max_size=300,
)


def replies(outcomes: list[tuple[Status, int]]) -> list[Reply]:
    return [
        Reply(index, status, index * 1_000_000, rtt if status is Status.REPLY else None)
        for index, (status, rtt) in enumerate(outcomes)
    ]


def steady(*rtts_us: int | None) -> Summary:
    return summarise(replies([(Status.TIMEOUT, 0) if rtt is None else (Status.REPLY, rtt) for rtt in rtts_us]))


@given(outcomes)
def test_a_summary_is_what_the_plain_formulas_say(outcomes: list[tuple[Status, int]]) -> None:
    summary = summarise(replies(outcomes))
    times = [rtt for status, rtt in outcomes if status is Status.REPLY]
    lost = sum(status in LOST for status, _ in outcomes)

    assert (summary.sent, summary.received, summary.lost) == (len(times) + lost, len(times), lost)
    assert summary.not_sent == sum(status is Status.NOT_SENT for status, _ in outcomes)
    assert summary.duplicates == sum(status is Status.DUPLICATE for status, _ in outcomes)
    assert summary.late == sum(status is Status.LATE for status, _ in outcomes)
    if times:
        assert (summary.min_us, summary.max_us) == (min(times), max(times))
        assert summary.avg_us == pytest.approx(statistics.fmean(times))
        assert summary.mdev_us == pytest.approx(statistics.pstdev(times), abs=1e-3)
    if len(times) > 1:
        changes = [abs(later - earlier) for earlier, later in itertools.pairwise(times)]
        assert summary.jitter_us == pytest.approx(statistics.fmean(changes))


@given(outcomes, st.integers(0, 300))
def test_a_day_is_the_sum_of_its_minutes(outcomes: list[tuple[Status, int]], cut: int) -> None:
    whole = replies(outcomes)
    merged = summarise(whole[:cut])
    merged.merge(summarise(whole[cut:]))

    assert merged == summarise(whole)


@given(st.lists(rtts, min_size=1, max_size=400), st.sampled_from([1, 25, 50, 95, 99, 100]))
def test_a_percentile_is_exact_for_few_and_within_one_percent_for_many(times: list[int], percent: int) -> None:
    truth = sorted(times)[math.ceil(len(times) * percent / 100) - 1]
    found = steady(*times).percentile(percent)

    assert found == truth if len(set(times)) <= 100 else found == pytest.approx(truth, rel=0.01)


def test_jitter_is_of_neighbours_in_send_order_not_of_sorted_ones() -> None:
    assert steady(10_000, 50_000, 10_000, 50_000).jitter_us == 40_000


def test_jitter_looks_past_a_lost_one() -> None:
    assert steady(10_000, None, 13_000).jitter_us == 3_000


def test_nothing_sent_has_no_loss_and_no_times() -> None:
    summary = summarise([Reply(0, Status.NOT_SENT, 0)])

    assert summary.loss is None
    assert summary.loss_interval is None
    assert (summary.min_us, summary.avg_us, summary.median_us, summary.jitter_us) == (None,) * 4


@pytest.mark.parametrize(
    ("lost", "sent", "low", "high"),
    # After the table of Newcombe 1998 (Statistics in Medicine 17), method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_of_the_loss_is_wilsons(lost: int, sent: int, low: float, high: float) -> None:
    summary = steady(*[None] * lost, *[1000] * (sent - lost))

    assert summary.loss_interval == pytest.approx((low, high), abs=5e-5)


def test_the_closing_lines_are_those_of_ping() -> None:
    summary = steady(12_000, 14_000, None, 13_000)
    summary.add(Reply(3, Status.DUPLICATE, 3_000_000, 13_100))

    assert format_summary(summary, "example.org") == (
        "--- example.org ping statistics ---\n"
        "4 packets transmitted, 3 received, +1 duplicates, 25% packet loss, time 3000ms\n"
        "rtt min/avg/max/mdev = 12.000/13.000/14.000/0.816 ms"
    )


def test_without_an_answer_there_is_no_line_of_times() -> None:
    assert format_summary(steady(None), "h").splitlines()[1:] == [
        "1 packets transmitted, 0 received, 100% packet loss, time 0ms"
    ]
