"""A board of many hosts: only what is near the screen is in the page."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.server import Server

MANY = 400


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Lend a site that watches four hundred hosts, the last of which cannot be asked."""
    server = Server(tmp_path_factory.mktemp("crowd"))
    server.start()
    hosts = {f"host-{n:03}": f"127.0.{n // 250}.{n % 250 + 1}" for n in range(MANY - 1)}
    server.watch(hosts | {"nowhere": "no-such-host.invalid"}, interval="1.0", group='"Hall"')
    yield server
    server.stop()


def test_rows_are_made_where_somebody_looks(crowd: Server, visit: Visit) -> None:
    ann = visit(crowd)
    ann.page.clock.install()
    ann.open("/")
    expect(ann.find("#sentence")).to_have_text(f"1 of {MANY} hosts needs attention.")
    expect(ann.find(".chip[data-tone=up] .count")).to_have_text(str(MANY - 1))
    # The order may change every ten seconds.
    ann.page.clock.fast_forward(11_000)
    expect(ann.find(".row").first).to_contain_text("nowhere")
    expect(ann.find(".group-name .dim")).to_have_text(str(MANY))
    assert ann.find(".row").count() < 100
    tall = ann.page.evaluate("document.querySelector('#board').offsetHeight / 400")
    assert 50 < tall < 60
    ann.page.keyboard.press("End")
    expect(ann.find(".row").last).to_contain_text("host-398")
    assert ann.find(".row").count() < 100
    ann.page.keyboard.press("Home")
    expect(ann.find(".row").first).to_contain_text("nowhere")


def test_a_row_not_drawn_yet_takes_the_space_of_one_that_is(crowd: Server, visit: Visit) -> None:
    ann = visit(crowd).open("/")
    heights = """row => {
        const drawn = row.offsetHeight;
        row.style.contentVisibility = "hidden";
        return [drawn, row.offsetHeight];
    }"""
    drawn, waiting = ann.find(".row").nth(5).evaluate(heights)
    assert waiting == drawn


def test_the_filter_finds_what_is_not_in_the_page(crowd: Server, visit: Visit) -> None:
    ann = visit(crowd).open("/")
    expect(ann.find("#sentence")).to_contain_text("needs attention")
    ann.find("#query").fill("host-39")
    expect(ann.find(".row")).to_have_count(9)
    expect(ann.find(".row").first).to_contain_text("host-390")
    ann.page.keyboard.press("Escape")
    expect(ann.find(".group-name .dim")).to_have_text(str(MANY))


def test_whoever_runs_no_scripts_is_told_what_is_missing(crowd: Server, visit: Visit) -> None:
    dora = visit(crowd, java_script_enabled=False).open("/")
    expect(dora.find(".row")).to_have_count(60)
    expect(dora.find("noscript p")).to_contain_text(f"These are the worst 60 of {MANY} hosts.")
    expect(dora.find("#filter")).to_be_hidden()
    expect(dora.find("#sentence")).to_contain_text(f"of {MANY} hosts")
