"""A host's page: what it says, its chart from five minutes to years, zoom, gaps, tables, live lines."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visit
from tests.browser.server import Server
from tests.browser.visitor import Visitor


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Server]:
    """Lend a site that watches a host, and one without an address, and was away for a while in between."""
    server = Server(tmp_path_factory.mktemp("watched"))
    server.start()
    server.watch({"lo": "127.0.0.1", "nowhere": "no-such-host.invalid"})
    ann = Visitor(browser.new_context(locale="en-US"), server.url).open("/hosts/lo/")
    expect(ann.find("#replies .line").nth(3)).to_be_attached()
    ann.context.close()
    server.stop()
    server.start()
    yield server
    server.stop()


def open_host(ann: Visitor, query: str = "") -> Visitor:
    """Open the page and wait for its chart."""
    ann.open(f"/hosts/lo/{query}")
    expect(ann.find("#smoke canvas")).to_be_visible()
    expect(ann.find("#resolution")).to_contain_text("Each point is")
    return ann


def walk(ann: Visitor, key: str, times: int) -> list[str]:
    """What the readout says at each of so many steps of a key."""
    ann.find("#smoke").focus()
    said = []
    for _ in range(times):
        ann.page.keyboard.press(key)
        # The key is handled before the press returns, and the readout with it.
        said.append(ann.find("#readout").text_content() or "")
    return said


def test_the_verdict_is_a_sentence_with_a_shape(watched: Server, visit: Visit) -> None:
    ann = open_host(visit(watched))
    expect(ann.verdict).to_have_text(re.compile(r"✓ Up for .+: every one of the latest pings was answered"))
    expect(ann.verdict).to_have_attribute("data-tone", "up")
    expect(ann.page).to_have_title("✓ lo · pingsite")


def test_lines_come_live_and_faster_while_somebody_wishes_it(watched: Server, visit: Visit) -> None:
    ann = open_host(visit(watched), "?range=live")
    lines = ann.find("#replies .line")
    expect(lines.nth(1)).to_be_attached()
    expect(lines.first).to_contain_text(re.compile(r"64 bytes from 127\.0\.0\.1: ttl=\d+ time=[\d.]+ ms"))
    ann.find("#faster").check()
    # Six pings within two seconds were not sent one a second.
    ann.page.wait_for_function("""() => {
      const sent = [...document.querySelectorAll("#replies .line")].map(({ dataset }) => Number(dataset.sent));
      return sent.length > 5 && sent.at(-1) - sent.at(-6) < 2000;
    }""")
    ann.find("#faster").uncheck()


def test_the_range_is_in_the_address_and_back_leads_back(watched: Server, visit: Visit) -> None:
    ann = open_host(visit(watched))
    for name in ("Live", "24 h", "1 y"):
        ann.page.get_by_role("link", name=name, exact=True).click()
        expect(ann.find(".tabs [aria-current]")).to_have_text(name)
    assert ann.page.url.endswith("?range=1y")
    ann.page.go_back()
    expect(ann.find(".tabs [aria-current]")).to_have_text("24 h")
    ann.page.reload()
    expect(ann.find(".tabs [aria-current]")).to_have_text("24 h")


def test_a_stretch_that_is_dragged_over_fills_the_chart_and_its_link_opens_it_again(
    watched: Server, visit: Visit
) -> None:
    ann = open_host(visit(watched), "?range=live")
    live = ann.find("#period").text_content() or ""
    box = ann.find("#smoke .u-over").bounding_box()
    assert box
    ann.page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 50)
    ann.page.mouse.down()
    ann.page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 60, steps=5)
    ann.page.mouse.up()
    ann.page.wait_for_url(re.compile(r"since=.+&until=.+"))
    expect(ann.find(".tabs [aria-current]")).to_have_count(0)
    expect(ann.find("#period")).not_to_have_text(live)
    period = ann.find("#period").text_content() or ""
    bob = visit(watched)
    bob.page.goto(ann.page.url)
    expect(bob.find("#period")).to_have_text(period)
    ann.page.keyboard.press("Escape")
    expect(ann.find(".tabs [aria-current]")).to_have_text("1 h")


def test_buttons_and_a_date_move_through_time(watched: Server, visit: Visit) -> None:
    ann = open_host(visit(watched), "?range=24h")
    ann.page.get_by_role("button", name="Earlier").click()
    ann.page.wait_for_url(re.compile("since="))
    ann.page.get_by_role("button", name="Later").click()
    expect(ann.find(".tabs [aria-current]")).to_have_text("24 h")
    ann.page.get_by_role("button", name="Closer").click()
    expect(ann.find(".tabs [aria-current]")).to_have_count(0)
    ann.find("#jump").fill("2020-02-29T12:00")
    expect(ann.find("#period")).to_contain_text("2020")
    expect(ann.find("#resolution")).to_contain_text("Nothing was measured in this time.")


def test_the_arrow_keys_read_values_and_a_gap_is_a_gap(watched: Server, visit: Visit) -> None:
    ann = open_host(visit(watched), "?range=live")
    ann.page.keyboard.press("Tab")
    ann.find("#smoke").focus()
    ann.page.keyboard.press("End")
    said = walk(ann, "ArrowLeft", 40)
    assert any(re.fullmatch(r".+ · [\d.]+ ms", each) for each in said)
    assert any("not measured: nobody was watching" in each for each in said)
    assert not any(re.search(r"· 0(\.0+)? ms", each) for each in said)


def test_the_table_and_the_files_tell_what_the_chart_shows(watched: Server, visit: Visit) -> None:
    ann = open_host(visit(watched), "?range=live")
    ann.find("#table summary").click()
    rows = ann.find("#table tbody tr")
    expect(rows.nth(3)).to_be_attached()
    assert re.fullmatch(r"[\d.]+", rows.nth(1).locator("td").nth(2).text_content() or "")
    for name, beginning in (("#json", "{"), ("#csv", "t,sent,received"), ("#packets", "due_at,status")):
        answer = ann.context.request.get(watched.url + (ann.find(name).get_attribute("href") or ""))
        assert answer.ok
        assert answer.text().startswith(beginning), name
    answer = ann.context.request.get(watched.url + (ann.find("#json").get_attribute("href") or ""))
    assert len(json.loads(answer.text())["t"]) <= 1500


def test_the_distribution_and_the_hours_of_the_week_are_words_as_well(watched: Server, visit: Visit) -> None:
    ann = open_host(visit(watched))
    expect(ann.find("#spread")).to_have_text(re.compile(r"Half of \d+ replies took [\d.]+ to [\d.]+ ms; the slowest"))
    expect(ann.find("#week tbody td")).to_have_count(168)
    measured = ann.find("#week td[data-level]").first
    expect(measured).to_contain_text(re.compile(r"\w+day \d\d:00: median [\d.]+ ms, loss 0 %"))
    measured.hover()
    expect(ann.find("#cell")).to_contain_text("median")


def test_a_host_without_an_address_says_why_it_is_not_measured(watched: Server, visit: Visit) -> None:
    ann = visit(watched).open("/hosts/nowhere/")
    expect(ann.verdict).to_contain_text(re.compile("▨ Not measured for .+: (its name does not|the name service)"))
    expect(ann.find("#replies")).to_have_attribute("data-empty", re.compile(r"No ping can be sent: .+\."))
