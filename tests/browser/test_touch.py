"""The chart of a host under fingers."""

import re

import pytest
from playwright.sync_api import CDPSession, expect

from tests.browser.conftest import Visit
from tests.browser.server import Server
from tests.browser.visitor import Visitor

PHONE = {"width": 390, "height": 844}
Touch = tuple[float, float]


@pytest.fixture(scope="module")
def watched(site: Server) -> Server:
    """Lend the site while it watches this machine."""
    site.watch({"here": "127.0.0.1"})
    return site


class Fingers:
    """Fingers on the chart; places are shares of its width and height."""

    def __init__(self, ann: Visitor) -> None:
        ann.find("#smoke").scroll_into_view_if_needed()
        self.box = ann.find("#smoke .u-over").bounding_box() or {}
        self.session: CDPSession = ann.context.new_cdp_session(ann.page)

    def move(self, *path: tuple[Touch, ...]) -> None:
        """Put fingers down, move them along, and lift them."""
        self.send("touchStart", path[0])
        for places in path[1:]:
            self.send("touchMove", places)
        self.send("touchEnd", ())

    def send(self, kind: str, places: tuple[Touch, ...]) -> None:
        """Tell the browser where the fingers are."""
        box = self.box
        points = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"], "id": number}
            for number, (x, y) in enumerate(places)
        ]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def touch(visit: Visit, site: Server, query: str) -> tuple[Visitor, Fingers]:
    """Somebody with a telephone on the page of the host, and their fingers."""
    ann = visit(site, viewport=PHONE, has_touch=True, is_mobile=True).open(f"/hosts/here/{query}")
    expect(ann.find("#smoke canvas")).to_be_visible()
    return ann, Fingers(ann)


def length(ann: Visitor) -> float:
    """How many hours the chart shows, by the page's address."""
    return float(
        ann.page.evaluate("""() => {
      const given = new URLSearchParams(location.search);
      return (Date.parse(given.get("until")) - Date.parse(given.get("since"))) / 3600000;
    }""")
    )


def test_one_finger_draws_the_chart_through_time_and_back_to_now(watched: Server, visit: Visit) -> None:
    ann, fingers = touch(visit, watched, "?range=24h")
    fingers.move(((0.3, 0.5),), ((0.5, 0.5),), ((0.8, 0.5),))
    expect(ann.page).to_have_url(re.compile("since=.+until="))
    assert length(ann) == pytest.approx(24, abs=0.01)
    expect(ann.find(".tabs [aria-current]")).to_have_count(0)
    fingers.move(((0.9, 0.5),), ((0.5, 0.5),), ((0.1, 0.5),))
    expect(ann.find(".tabs [aria-current]")).to_have_text("24 h")


def test_two_fingers_bring_it_closer(watched: Server, visit: Visit) -> None:
    ann, fingers = touch(visit, watched, "?range=24h")
    fingers.move(((0.4, 0.5), (0.6, 0.5)), ((0.3, 0.5), (0.7, 0.5)), ((0.1, 0.5), (0.9, 0.5)))
    expect(ann.page).to_have_url(re.compile("since=.+until="))
    assert length(ann) == pytest.approx(6, rel=0.1)


def test_a_finger_that_scrolls_or_points_leaves_the_time_alone(watched: Server, visit: Visit) -> None:
    ann, fingers = touch(visit, watched, "?range=live")
    expect(ann.find("#resolution")).to_contain_text("Each point is one ping.")
    ann.page.touchscreen.tap(fingers.box["x"] + 0.99 * fingers.box["width"], fingers.box["y"] + 40)
    expect(ann.find("#readout")).not_to_be_empty()
    fingers.move(((0.5, 0.9),), ((0.5, 0.6),), ((0.5, 0.3),), ((0.5, 0.1),))
    expect(ann.find(".tabs [aria-current]")).to_have_text("Live")
    assert ann.page.url.endswith("?range=live")
