"""What the page says of pings without a reply, in a network whose addresses say how their hosts answer."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import FarSite, Visit

NO_ROUTE = "198.51.100.7"


def test_lost_pings_have_lines_marks_and_a_share(far_site: FarSite, visit: Visit) -> None:
    ann = visit(far_site).come_home()
    ann.ask("10.77.50.5", count=10, interval=0.5, timeout=0.5)
    ann.wait_for_end()
    expect(ann.lines).to_have_count(10)
    lost = ann.find("#demo .line[data-status=timeout]").count()
    assert 0 < lost < 10
    share = lost * 10
    expect(ann.verdict).to_have_text(re.compile(rf"▲ {lost} of 10 pings had no reply \({share} %\)"))
    expect(ann.verdict).to_have_attribute("data-tone", "degraded")
    expect(ann.find("#loss")).to_have_text(f"{share} %")
    expect(ann.find("#demo .line[data-status=timeout]").first).to_contain_text("✕ no reply")


def test_a_lost_ping_is_never_a_point_at_zero(far_site: FarSite, visit: Visit) -> None:
    ann = visit(far_site).come_home()
    ann.ask("10.77.50.5", count=10, interval=0.5, timeout=0.5)
    ann.wait_for_end()
    ann.page.get_by_text("As a table").click()
    for row in ann.find("#table tbody tr").all_inner_texts():
        _, result, time = row.split("\t")
        assert (time == "–") == ("no reply" in result), row
        assert time == "–" or float(time) >= 5


def test_no_reply_at_all_is_said_with_what_it_may_mean(far_site: FarSite, visit: Visit) -> None:
    ann = visit(far_site).come_home()
    ann.ask("10.77.100.1", interval=0.5, timeout=0.3)
    ann.wait_for_end()
    expect(ann.lines).to_have_count(5)
    expect(ann.verdict).to_contain_text("✕ No reply to any of 5 pings. The host may be down, or may block ping.")
    expect(ann.find("#note")).to_contain_text("may have no way out")
    expect(ann.find("#average")).to_have_text("–")


@pytest.mark.parametrize(
    ("host", "verdict", "line"),
    [
        ("10.79.3.1", "10.79.3.1 is unreachable: no machine answers at this address.", "host unreachable"),
        ("10.79.3.0", "The network of 10.79.3.0 is unreachable.", "network unreachable"),
        ("10.79.3.13", "A firewall on the way to 10.79.3.13 forbids ping.", "forbidden by a firewall"),
        ("10.79.11.0", "Pings to 10.79.11.0 go in circles, or have too far to go.", "too many hops"),
        (NO_ROUTE, f"This server has no route to {NO_ROUTE}.", "no route"),
    ],
)
def test_the_page_makes_sense_of_every_reason(
    far_site: FarSite, visit: Visit, host: str, verdict: str, line: str
) -> None:
    ann = visit(far_site).come_home()
    ann.ask(host, count=3, interval=0.5, timeout=0.5)
    ann.wait_for_end()
    expect(ann.verdict).to_contain_text(f"✕ {verdict}")
    expect(ann.lines).to_have_count(3)
    expect(ann.lines.first).to_contain_text(f"✕ {line}")
    expect(ann.find("#summary")).to_contain_text("3 sent, 0 received, 100 % loss")


def test_the_chart_keeps_its_height_while_round_trips_fit(far_site: FarSite, visit: Visit) -> None:
    ann = visit(far_site).come_home()
    ann.ask("10.77.0.50", count=6, interval=0.5, timeout=0.5)
    ann.wait_for_end()
    for key, number in (("End", 6), ("ArrowLeft", 5), ("PageUp", 1)):
        ann.find("#chart").press(key)
        expect(ann.find("#readout")).to_have_text(re.compile(rf"Ping {number}: 5\d(\.\d)? ms"))
