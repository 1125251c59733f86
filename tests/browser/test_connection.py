"""A server that goes away and comes back, and connections that break, freeze and mend."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.relay import Relay
from tests.browser.server import Server

STATES = re.compile(r"Websocket Disconnected|Reconnecting in \d+ s")


def test_a_server_that_stops_is_noticed_at_once_and_found_again(own_site: Server, visit: Visit) -> None:
    ann = visit(own_site).come_home()
    ann.ask(count=2, interval=0.2)
    ann.wait_for_end()
    own_site.stop()
    expect(ann.header).to_contain_text("Websocket Disconnected")
    expect(ann.find("#announce")).to_have_text("Websocket Disconnected")
    expect(ann.header).to_contain_text(re.compile(r"Reconnecting in \d+ s"))
    expect(ann.find("#notice")).to_contain_text(re.compile(r"▨ as of \d\d:\d\d:\d\d"))
    expect(ann.find("#notice")).to_contain_text(re.compile(r"Lost the server. Trying again in \d+ s\. Try now"))
    expect(ann.find("#result")).to_have_class(re.compile(r"\bstale\b"))
    expect(ann.lines).to_have_count(2)
    expect(ann.button).to_be_disabled()
    own_site.start()
    expect(ann.header).to_contain_text("Websocket Connected")
    expect(ann.find("#notice")).to_contain_text("Back.")
    expect(ann.find("#result")).not_to_have_class(re.compile(r"\bstale\b"))
    expect(ann.find("#notice-words")).to_be_empty()
    ann.ask(count=1)
    expect(ann.verdict).to_contain_text("1 of 1 reply")


def test_a_run_that_the_server_could_not_finish_says_so_and_keeps_its_lines(own_site: Server, visit: Visit) -> None:
    ann = visit(own_site).come_home()
    ann.ask(count=50, interval=0.5)
    ann.wait_for_lines(3)
    own_site.stop()
    expect(ann.header).to_contain_text(STATES)
    own_site.start()
    expect(ann.find("#note")).to_contain_text(re.compile(r"The server stopped after \d+ of 50 pings"))
    expect(ann.button).to_be_enabled()
    assert ann.lines.count() >= 3


def test_a_connection_that_breaks_in_mid_run_loses_nothing(site: Server, visit: Visit) -> None:
    relay = Relay(site.port)
    ann = visit(relay).come_home()
    ann.ask(count=40, interval=0.2)
    ann.wait_for_lines(2)
    bob = visit(site).open(ann.find("#link").get_attribute("href") or "")
    relay.cut()
    expect(ann.header).to_contain_text(STATES)
    expect(ann.find("#notice")).to_contain_text("Lost the server.")
    before = ann.lines.count()
    bob.wait_for_lines(before + 3)
    relay.mend()
    # Dispatched, not clicked: the page may have come back by itself in this very moment.
    ann.find("#try-now").dispatch_event("click")
    expect(ann.find("#notice")).to_contain_text(re.compile(r"Back\. \d+ missed results loaded\."))
    expect(ann.find("#demo .gap")).to_have_text("you were disconnected")
    expect(ann.find("#legend-gap")).to_be_visible()
    missed = ann.find("#demo .line.missed").count()
    assert missed >= 2
    expect(ann.lines.nth(before)).to_have_class("line missed")
    ann.wait_for_end()
    numbers = [line.split()[0] for line in ann.lines.all_inner_texts()]
    assert numbers == [str(number) for number in range(1, 41)]
    expect(ann.find("#demo .line.missed")).to_have_count(missed)
    relay.cut()


def test_a_connection_that_falls_silent_is_replaced(site: Server, visit: Visit) -> None:
    relay = Relay(site.port)
    ann = visit(relay).come_home()
    ann.ask(count=40, interval=0.2, timeout=0.3)
    ann.wait_for_lines(2)
    relay.freeze()
    # Nothing is closed: only the silence tells. Thawed, what was held back comes by a socket nobody listens to.
    expect(ann.header).to_contain_text(STATES)
    relay.thaw()
    expect(ann.header).to_contain_text("Websocket Connected")
    expect(ann.find("#demo .gap")).to_be_visible()
    ann.wait_for_end()
    expect(ann.lines).to_have_count(40)
    relay.cut()


def test_stop_still_works_after_a_connection_broke(site: Server, visit: Visit) -> None:
    relay = Relay(site.port)
    ann = visit(relay).come_home()
    ann.ask(count=100, interval=0.5)
    ann.wait_for_lines(2)
    relay.cut()
    expect(ann.find("#stop")).to_be_disabled()
    relay.mend()
    expect(ann.header).to_contain_text("Websocket Connected")
    ann.find("#stop").click()
    expect(ann.find("#note")).to_have_text(re.compile(r"Stopped after \d+ of 100 pings\."))
    relay.cut()
