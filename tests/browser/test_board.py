"""The board: every watched host with its state, live; the first host, many hosts, a server that goes away."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, WebSocketRoute, expect

from tests.browser.conftest import Visit
from tests.browser.relay import Relay
from tests.browser.server import Server
from tests.browser.test_accessibility import THEMES, find_faults
from tests.browser.visitor import Visitor

TWENTY = "\n".join(f"host-{n}, 127.0.0.{n}, {'Office' if n % 2 else 'Cellar'}, tag{n % 3}" for n in range(1, 21))
PHONE = {"width": 390, "height": 844}
PASSWORD = "nine horses drink tea"

State = dict[str, object]


def sign_in(server: Server, browser: Browser) -> State:
    """The cookies of the first account of a server, with a password of its own."""
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    page.goto(f"{server.url}/admin/login/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", server.first_password)
    page.click("[type=submit]")
    page.fill("#id_old_password", server.first_password)
    for field in ("#id_new_password1", "#id_new_password2"):
        page.fill(field, PASSWORD)
    page.click("#content-main [type=submit]")
    page.wait_for_url("**/password_change/done/")
    state = context.storage_state()
    context.close()
    return dict(state)


def add_hosts(ann: Visitor, lines: str) -> None:
    """Paste lines into the form and send it."""
    ann.open("/hosts/add")
    ann.page.fill("#lines", lines)
    ann.page.get_by_role("button", name="Watch", exact=True).click()


@pytest.fixture(scope="module")
def watching(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[tuple[Server, State]]:
    """Lend a site that watches twenty hosts of this machine, and the cookies of its staff."""
    server = Server(tmp_path_factory.mktemp("watching"))
    server.start()
    state = sign_in(server, browser)
    context = browser.new_context(locale="en-US", storage_state=state)  # type: ignore[arg-type]
    add_hosts(ann := Visitor(context, server.url), TWENTY)
    expect(ann.find("#sentence")).to_have_text("All 20 hosts answer.")
    context.close()
    yield server, state
    server.stop()


def test_the_empty_board_asks_for_the_first_host(new_site: Server, visit: Visit, browser: Browser) -> None:
    dora = visit(new_site).open("/")
    dora.page.get_by_role("link", name="Sign in").wait_for()
    staff = sign_in(new_site, browser)
    bob = visit(new_site, storage_state=staff).open("/")
    bob.page.fill("#lines", "127.0.0.2")
    expect(bob.header).to_have_attribute("data-tone", "up")
    ann = visit(new_site, storage_state=staff).open("/")
    expect(ann.find("h1")).to_have_text("Watch your first host")
    expect(ann.header).to_have_attribute("data-tone", "up")
    expect(ann.find("#notice-words")).to_be_empty()
    assert not find_faults(ann)
    expect(ann.page.get_by_role("button", name="8.8.8.8")).to_be_visible()
    ann.page.fill("#lines", "127.0.0.1")
    ann.page.get_by_role("button", name="Watch", exact=True).click()
    expect(ann.find("h1")).to_have_text("127.0.0.1")
    expect(ann.verdict).to_contain_text("✓ Up")
    # Whoever looks at the empty board gets the real one.
    expect(dora.find(".row")).to_contain_text("127.0.0.1")
    expect(dora.header).to_have_attribute("data-tone", "up")
    # Whoever is about to add one keeps what was typed.
    expect(bob.find("#lines")).to_have_value("127.0.0.2")
    bob.page.get_by_role("button", name="Watch", exact=True).click()
    expect(bob.find("h1")).to_have_text("127.0.0.2")


def test_rows_come_with_the_page_and_live_from_then_on(watching: tuple[Server, State], visit: Visit) -> None:
    ann = visit(watching[0]).open("/")
    expect(ann.find(".row")).to_have_count(20)
    expect(ann.find(".row[data-tone=up]")).to_have_count(20)
    now = ann.find(".row .now b").first
    before = now.text_content() or ""
    assert re.fullmatch(r"[\d.]+ ms", before)
    expect(now).not_to_have_text(before)
    expect(ann.find("#notice")).to_contain_text("as of")
    expect(ann.header).to_contain_text("Websocket Connected")


def test_the_header_says_how_many_look(watching: tuple[Server, State], visit: Visit) -> None:
    ann = visit(watching[0]).open("/")
    expect(ann.find("#looking")).to_have_text("1 looking")
    visit(watching[0]).open("/hosts/host-1/")
    expect(ann.find("#looking")).to_have_text("2 looking")


def test_the_header_says_what_takes_the_watcher_long(watching: tuple[Server, State], visit: Visit) -> None:
    """The figures of the real watcher, in which only the work is ours."""
    ann = visit(watching[0])
    work: list[str | int] | None = ["rebuild", 30, 120]

    def pass_on(page: WebSocketRoute) -> None:
        server = page.connect_to_server()

        def say(text: str | bytes) -> None:
            event = json.loads(text)
            if event["event"] == "hosts":
                event["figures"] = {"late_us": None, "waiting": 0, "work": work}
            page.send(json.dumps(event))

        server.on_message(say)

    ann.page.route_web_socket(re.compile("/ws/watch/"), pass_on)
    ann.open("/")
    expect(ann.find("#work")).to_have_text("Hours are built again: 25 %")
    expect(ann.find("#work progress")).to_have_attribute("value", "0.25")
    work = None
    expect(ann.find("#work")).to_be_hidden()


def test_a_filter_by_text_state_and_tag_stays_in_the_address(watching: tuple[Server, State], visit: Visit) -> None:
    ann = visit(watching[0]).open("/")
    shown = ann.find(".row:not([hidden])")
    expect(ann.find("#tag option")).to_have_count(4)
    ann.page.keyboard.press("/")
    ann.page.keyboard.type("cellar host-1")
    expect(shown).to_have_count(5)
    ann.find("#tag").select_option("tag0")
    expect(shown).to_have_count(2)
    ann.page.reload()
    expect(shown).to_have_count(2)
    expect(ann.find("#announce")).to_be_attached()
    ann.page.keyboard.press("Escape")
    expect(shown).to_have_count(20)
    assert ann.page.url.endswith("/")
    ann.find("#query").fill("no such host")
    expect(ann.find("#nobody")).to_be_visible()
    ann.page.get_by_role("button", name="Show all").click()
    expect(shown).to_have_count(20)


def test_the_keyboard_leads_from_host_to_host(watching: tuple[Server, State], visit: Visit) -> None:
    ann = visit(watching[0]).open("/")
    expect(ann.header).to_have_attribute("data-tone", "up")
    ann.page.keyboard.press("/")
    for _ in range(3):
        ann.page.keyboard.press("ArrowDown")
    # Rows may change places meanwhile; the focus stays with its host.
    focused = ann.find(".row:not([hidden]) a:focus")
    expect(focused).to_have_count(1)
    name = focused.text_content() or ""
    ann.page.keyboard.press("Enter")
    expect(ann.find("h1")).to_have_text(name)


def test_the_order_waits_for_whoever_points_at_it(watching: tuple[Server, State], visit: Visit) -> None:
    server, state = watching
    ann, bob = visit(server), visit(server, storage_state=state)
    ann.page.clock.install()
    ann.open("/")
    row = ann.find(".row").filter(has_text="host-7")
    expect(ann.header).to_have_attribute("data-tone", "up")
    row.hover()
    bob.open("/hosts/host-7/").page.get_by_role("button", name="Pause").click()
    expect(row).to_have_attribute("data-tone", "paused")
    ann.page.clock.fast_forward(11_000)
    last = row.locator("xpath=..").locator(".row").last
    expect(last).not_to_contain_text("host-7")
    ann.page.mouse.move(5, 5)
    ann.page.clock.fast_forward(11_000)
    expect(last).to_contain_text("host-7")
    bob.page.get_by_role("button", name="Go on").click()
    expect(row).to_have_attribute("data-tone", "up")


def test_a_server_that_goes_makes_the_board_look_old_and_comes_back_without_a_hand(
    watching: tuple[Server, State], visit: Visit
) -> None:
    relay = Relay(watching[0].port)
    ann = visit(relay).open("/")
    expect(ann.header).to_have_attribute("data-tone", "up")
    relay.cut()
    expect(ann.find("#board")).to_have_class(re.compile(r"\bstale\b"))
    expect(ann.find("#notice")).to_contain_text(re.compile(r"▨ as of \d\d:\d\d:\d\d"))
    expect(ann.find(".row")).to_have_count(20)
    relay.mend()
    expect(ann.find("#board")).not_to_have_class(re.compile(r"\bstale\b"))
    before = ann.find(".row .now b").first.text_content() or ""
    expect(ann.find(".row .now b").first).not_to_have_text(before)
    relay.cut()


def test_wrong_lines_come_back_with_what_is_wrong_beside_them(watching: tuple[Server, State], visit: Visit) -> None:
    server, state = watching
    ann = visit(server, storage_state=state)
    add_hosts(ann, "good, 127.0.0.50\nbad, -f\nagain, 127.0.0.1\n")
    expect(ann.find("#lines")).to_have_value("bad, -f\nagain, 127.0.0.1")
    said = ann.find("#complaints li")
    expect(said).to_have_count(2)
    expect(said.nth(0)).to_contain_text("begins with a dash")
    expect(said.nth(1).get_by_role("link")).to_have_text("It is watched already, as host-1.")
    ann.open("/hosts/good/").find(".danger summary").click()
    ann.page.get_by_role("button", name="Delete for good").click()
    expect(ann.find(".said")).to_contain_text("good is watched no more.")


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
def test_a_phone_shows_everything_without_scrolling_sideways(
    watching: tuple[Server, State], visit: Visit, locale: str
) -> None:
    server, state = watching
    for path in ("/", "/hosts/host-1/?range=live", "/hosts/add", "/hosts/host-1/edit"):
        for cookies in (state, None) if path.endswith(("/", "live")) else (state,):
            ann = visit(server, viewport=PHONE, locale=locale, storage_state=cookies).open(path)
            assert ann.spill() <= 0, path


def test_a_long_reason_stays_in_its_column_whatever_the_width(watching: tuple[Server, State], visit: Visit) -> None:
    server, state = watching
    for width in (1200, 900, 660, 390):
        # Without scripts nothing writes into the rows meanwhile.
        still = {"java_script_enabled": False, "viewport": {"width": width, "height": 800}}
        ann = visit(server, storage_state=state, **still).open("/")
        now, row = ann.find(".row .now").first, ann.find(".row").first
        now.locator("b").evaluate("(element, words) => { element.textContent = words; }", "blocked by this server")
        for place in (now, row):
            assert place.evaluate("element => element.scrollWidth - element.clientWidth") <= 0, width
        ann.context.pages[0].close()


@THEMES
def test_nothing_grave_is_found_by_axe(watching: tuple[Server, State], visit: Visit, scheme: str) -> None:
    server, state = watching
    ann = visit(server, storage_state=state, color_scheme=scheme)
    for path in ("/", "/hosts/host-1/?range=live", "/hosts/host-1/?range=24h", "/hosts/add", "/hosts/host-1/edit"):
        ann.open(path)
        ann.page.eval_on_selector_all("details", "all => all.forEach((each) => { each.open = true; })")
        assert not find_faults(ann), path
    add_hosts(ann, "bad, -f\nagain, 127.0.0.1\n")
    expect(ann.find("#complaints li")).to_have_count(2)
    assert not find_faults(ann)
