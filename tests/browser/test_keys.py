"""The pages by keyboard alone."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.server import Server


def test_a_whole_run_by_keyboard(site: Server, visit: Visit) -> None:
    ann = visit(site).come_home()
    keys = ann.page.keyboard
    ann.find("#options summary").press("Enter")
    ann.find("#count").press("ArrowUp")
    keys.press("/")
    expect(ann.find("#host")).to_be_focused()
    keys.type("127.0.0.9")
    expect(ann.verdict).to_contain_text("6 pings to 127.0.0.9")
    keys.press("Enter")
    ann.wait_for_lines(2)
    keys.press("Escape")
    expect(ann.find("#note")).to_contain_text("Stopped after")


def test_the_chart_is_read_ping_by_ping(site: Server, visit: Visit) -> None:
    ann = visit(site).come_home()
    ann.ask(count=12, interval=0.2)
    ann.wait_for_end()
    ann.find("#chart").focus()
    readout = ann.find("#readout")
    for key, number in (("ArrowRight", 1), ("ArrowRight", 2), ("PageDown", 12), ("ArrowRight", 12), ("PageUp", 2)):
        ann.page.keyboard.press(key)
        expect(readout).to_have_text(re.compile(rf"Ping {number}: [\d.]+ ms"))
    expect(readout).to_have_attribute("aria-live", "polite")
    ann.page.keyboard.press("Tab")
    expect(readout).to_be_empty()


def test_the_list_of_keys_opens_and_closes_and_takes_no_letters_away(site: Server, visit: Visit) -> None:
    ann = visit(site).come_home()
    ann.page.keyboard.press("?")
    expect(ann.find("#keys")).to_be_visible()
    ann.page.keyboard.press("Escape")
    expect(ann.find("#keys")).to_be_hidden()
    ann.find("#host").fill("")
    ann.find("#host").press_sequentially("a/b?")
    expect(ann.find("#host")).to_have_value("a/b?")
    expect(ann.find("#keys")).to_be_hidden()


def test_tab_reaches_everything_in_the_order_it_is_read(site: Server, visit: Visit) -> None:
    ann = visit(site).come_home()
    reached = []
    for _ in range(16):
        ann.page.keyboard.press("Tab")
        reached.append(ann.page.evaluate("document.activeElement.id || document.activeElement.className"))
    order = [reached.index(name) for name in ("skip", "brand", "host", "checkbutton", "chart", "demo", "show-keys")]
    assert order == sorted(order)


def test_changes_are_announced_as_a_summary_and_not_line_by_line(site: Server, visit: Visit) -> None:
    ann = visit(site).come_home()
    ann.page.evaluate(
        "window.said = []; new MutationObserver(() => window.said.push(document.querySelector('#announce').textContent))"
        ".observe(document.querySelector('#announce'), { childList: true, characterData: true, subtree: true })"
    )
    ann.ask(interval=0.2)
    ann.wait_for_end()
    said = [text for text in ann.page.evaluate("window.said") if text]
    assert len(said) == 2, said
    assert said[0].startswith("◌ Pinging 127.0.0.1")
    assert said[1].startswith("✓ 5 of 5 replies")
    assert ann.find("#demo").get_attribute("role") is None
