"""The press: five pings, each on the page the moment it is known."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.server import Server


def test_before_the_press_the_page_invites_to_it(site: Server, visit: Visit) -> None:
    ann = visit(site).come_home()
    expect(ann.header).to_contain_text("Websocket Connected")
    expect(ann.verdict).to_have_text("Press Submit to send five pings to 127.0.0.1.")
    expect(ann.find("#host")).to_have_value("127.0.0.1")
    expect(ann.lines).to_have_count(0)
    expect(ann.find("#chart canvas")).to_be_visible()


def test_one_press_shows_five_lines_one_by_one(site: Server, visit: Visit) -> None:
    ann = visit(site).come_home()
    ann.ask()
    expect(ann.button).to_be_disabled()
    expect(ann.button).to_have_text("Loading..")
    ann.wait_for_end()
    expect(ann.lines).to_have_count(5)
    expect(ann.button).to_have_text("Submit")
    seen = [(count, at) for count, at in ann.page.evaluate("window.seen") if count]
    assert [count for count, _ in seen] == [1, 2, 3, 4, 5]
    # Four seconds lie between the first and the last; lines that all came at the end would be together.
    assert seen[-1][1] - seen[0][1] > 2000


def test_every_line_is_numbered_and_is_what_ping_prints(site: Server, visit: Visit) -> None:
    ann = visit(site).come_home()
    ann.ask(interval=0.2)
    ann.wait_for_end()
    for number, line in enumerate(ann.lines.all_inner_texts(), start=1):
        assert re.fullmatch(
            rf"{number}\s+64 bytes from 127\.0\.0\.1: icmp_seq={number} ttl=\d+ time=\d+(\.\d+)? ms", line
        ), line


def test_the_end_says_what_it_comes_to(site: Server, visit: Visit) -> None:
    ann = visit(site).come_home()
    ann.ask(interval=0.2)
    ann.wait_for_end()
    expect(ann.verdict).to_have_text(re.compile(r"✓ 5 of 5 replies, [\d.]+ ms on average"))
    expect(ann.verdict).to_have_attribute("data-tone", "up")
    expect(ann.find("#summary")).to_have_text(
        re.compile(r"5 sent, 5 received, 0 % loss · min/avg/max/mdev [\d./]+ ms · jitter [\d.]+ ms")
    )
    for name in ("fastest", "average", "slowest", "jitter"):
        expect(ann.find(f"#{name}")).to_have_text(re.compile(r"[\d.]+ ms"))
    expect(ann.find("#loss")).to_have_text("0 %")
    expect(ann.find("#done")).to_have_text("5/5")


def test_while_it_runs_nothing_is_judged_and_progress_is_counted(site: Server, visit: Visit) -> None:
    ann = visit(site).come_home()
    ann.ask(count=30, interval=0.3)
    ann.wait_for_lines(3)
    expect(ann.verdict).to_have_text(re.compile(r"◌ Pinging 127\.0\.0\.1: \d+ of 30"))
    expect(ann.verdict).to_have_attribute("data-tone", "running")
    assert ann.find("#progress").evaluate("bar => bar.value / bar.max") >= 0.1


def test_stop_ends_a_run_and_says_so(site: Server, visit: Visit) -> None:
    ann = visit(site).come_home()
    expect(ann.find("#stop")).to_be_disabled()
    ann.ask(count=100, interval=0.5)
    ann.wait_for_lines(2)
    ann.find("#stop").click()
    ann.wait_for_end()
    expect(ann.find("#note")).to_have_text(re.compile(r"Stopped after \d of 100 pings\."))
    expect(ann.find("#stop")).to_be_disabled()
    assert ann.lines.count() < 100


def test_a_second_run_begins_a_new_page_of_results(site: Server, visit: Visit) -> None:
    ann = visit(site).come_home()
    ann.ask(count=3, interval=0.2)
    ann.wait_for_end()
    first = ann.find("#link").get_attribute("href")
    ann.ask("127.0.0.2", count=2, interval=0.2)
    expect(ann.verdict).to_contain_text("2 of 2 replies")
    expect(ann.lines).to_have_count(2)
    assert ann.find("#link").get_attribute("href") != first


def test_the_same_run_is_a_page_of_its_own_live_and_afterwards(site: Server, visit: Visit) -> None:
    ann = visit(site).come_home()
    ann.ask(count=8, interval=0.8)
    ann.wait_for_lines(2)
    link = ann.find("#link").get_attribute("href") or ""
    bob = visit(site).open(link)
    expect(bob.verdict).to_contain_text("Pinging 127.0.0.1")
    expect(bob.verdict).to_contain_text("8 of 8 replies")
    ann.wait_for_end()
    assert bob.lines.all_inner_texts() == ann.lines.all_inner_texts()
    cal = visit(site).open(link)
    expect(cal.verdict).to_contain_text("8 of 8 replies")
    expect(cal.find("#demo .gap")).to_have_count(0)
    for kind in ("CSV", "JSON"):
        href = cal.page.get_by_role("link", name=kind).get_attribute("href") or ""
        assert cal.page.request.get(site.url + href).ok


def test_the_chart_can_be_read_as_a_table(site: Server, visit: Visit) -> None:
    ann = visit(site).come_home()
    ann.page.get_by_text("As a table").click()
    ann.ask(count=3, interval=0.2)
    ann.wait_for_end()
    rows = ann.find("#table tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(2)).to_have_text(re.compile(r"^3✓ reply[\d.]+$"))


def test_the_address_behind_a_name_is_shown(site: Server, visit: Visit) -> None:
    ann = visit(site).come_home()
    ann.ask("localhost", count=1)
    ann.wait_for_end()
    expect(ann.find("#address")).to_have_text(re.compile(r"^(127\.0\.0\.1|::1)$"))
    ann.ask("127.0.0.1")
    ann.wait_for_end()
    expect(ann.find("#address")).to_be_empty()


def test_a_press_before_the_connection_stands_is_kept(site: Server, visit: Visit) -> None:
    ann = visit(site)
    ann.page.add_init_script(
        """
        const Real = WebSocket;
        window.WebSocket = class {
          constructor(url) {
            setTimeout(() => {
              this.socket = Object.assign(new Real(url), {
                onopen: () => this.onopen(), onclose: () => this.onclose?.(), onmessage: (event) => this.onmessage(event),
              });
            }, 2000);
          }
          send(text) { this.socket.send(text); }
          close() { this.socket?.close(); }
        };
        """
    )
    ann.open()
    expect(ann.header).to_contain_text("Connecting…")
    ann.ask(interval=0.2)
    ann.wait_for_end()
    expect(ann.lines).to_have_count(5)
    expect(ann.page).to_have_url(f"{site.url}/home")
