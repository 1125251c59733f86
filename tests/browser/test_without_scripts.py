"""The pages where no JavaScript runs: the form posts, and leads to five pings."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.server import Server


def test_the_form_posts_and_shows_five_pings(site: Server, visit: Visit) -> None:
    dora = visit(site, java_script_enabled=False).open()
    expect(dora.header).to_be_hidden()
    expect(dora.find("#stop")).to_be_hidden()
    dora.page.fill("#host", "127.0.0.3")
    dora.button.click()
    expect(dora.page).to_have_url(re.compile(r"/runs/[0-9a-f-]{36}$"))
    # The page fetches itself again while the run goes on.
    expect(dora.lines).to_have_count(5)
    expect(dora.verdict).to_contain_text("127.0.0.3: 5 of 5 pings had a reply")
    expect(dora.lines.nth(4)).to_contain_text("icmp_seq=5")
    expect(dora.find("noscript")).to_have_count(0)
    dora.page.get_by_role("button", name="Ping it again").click()
    dora.wait_for_lines(1)


def test_a_bad_host_is_refused_on_the_page_with_what_was_typed(site: Server, visit: Visit) -> None:
    dora = visit(site, java_script_enabled=False, locale="ko-KR").open()
    dora.page.fill("#host", "-c 9")
    dora.button.click()
    expect(dora.find("#problem")).to_contain_text('"-c 9"은(는) 주소나 호스트 이름이 아닙니다.')
    expect(dora.find("#host")).to_have_value("-c 9")
    expect(dora.find("#host")).to_have_attribute("aria-invalid", "true")


def test_the_form_posts_where_no_websocket_gets_through(site: Server, visit: Visit) -> None:
    ann = visit(site)
    ann.page.add_init_script(
        "window.WebSocket = class { constructor() { setTimeout(() => this.onclose()); } close() {} }"
    )
    ann.open()
    expect(ann.header).to_contain_text(re.compile("Disconnected|Reconnecting"))
    ann.ask("127.0.0.1")
    expect(ann.page).to_have_url(re.compile(r"/runs/"))
