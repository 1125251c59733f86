"""Channels and their messages, as the people meet them who set them up."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.alerts.services import Service, serving
from tests.browser.conftest import Visit
from tests.browser.outages import make_past
from tests.browser.server import Server
from tests.browser.test_accessibility import LOOKS, find_faults
from tests.browser.test_board import PHONE, State, sign_in
from tests.browser.visitor import Visitor

PAGES = (
    "/alerts/", "/alerts/add", "/alerts/1/edit", "/alerts/1/test", "/", "/maintenance/", "/maintenance/add",
    "/hosts/gateway/uptime/", "/hosts/gateway/report/", "/rules", "/docs/alerts/", "/docs/uptime/",
)  # fmt: skip
PLAN = """
import datetime as dt
from monitor.models import Channel, Delivery, Host, Incident, Maintenance
Channel.objects.filter(name="Ops room").update(enabled=True)
Delivery.objects.create(channel=Channel.objects.get(), incident=Incident.objects.first(), occasion="down", fate="failed",
    attempts=8, outcome="503 Service Unavailable " + "without-a-space" * 20)
Maintenance.objects.create(name="Router firmware", starts_on=dt.date(2026, 1, 11), starts_at=dt.time(2, 30), minutes=90,
    zone="Europe/Berlin", recurrence="FREQ=MONTHLY;BYDAY=2SU").hosts.set(Host.objects.all())
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[tuple[Server, State]]:
    """Lend a site with a past, a channel that fails and a plan, and the cookies of its staff."""
    server = Server(tmp_path_factory.mktemp("told"))
    server.start()
    state = sign_in(server, browser)
    make_past(server)
    server.do(PLAN)
    yield server, state
    server.stop()


def add_webhook(ann: Visitor, name: str, service: Service) -> None:
    """Fill in the form of a channel that leads to a service of this machine."""
    ann.open("/alerts/").page.get_by_role("link", name="Add a channel").click()
    ann.page.fill("#id_name", name)
    ann.page.select_option("#id_kind", "webhook")
    ann.page.fill("#id_address", service.url())
    ann.page.check("#id_anywhere")
    ann.page.get_by_role("button", name="Save").click()
    expect(ann.find(".answer")).to_have_text(re.compile("^[0-9a-f]{64}$"))
    assert not find_faults(ann)


def test_a_test_shows_what_the_service_really_answered(told: tuple[Server, State], visit: Visit) -> None:
    ann = visit(told[0], storage_state=told[1])
    with serving() as service:
        add_webhook(ann, "Well", service)
        ann.page.get_by_role("button", name="Test").click()
        expect(ann.find("#verdict")).to_have_text("✓ sent")
        expect(ann.find(".answer")).to_contain_text("thank you for")
        assert "token-of-alice" not in ann.page.content()
        assert [path for path, _, _ in service.got] == ["/token-of-alice"]
        service.answers[:] = [503] * 50
        ann.page.get_by_role("button", name="Test again").click()
        expect(ann.find("#verdict")).to_contain_text("✕ failed")
        expect(ann.find(".answer")).to_contain_text("503")
    assert not find_faults(ann)
    ann.open("/alerts/")
    expect(ann.find(".channels li").filter(has_text="Well")).to_contain_text("✕ failed")
    ann.open("/alerts/2/edit").page.get_by_text("Delete…").click()
    ann.page.get_by_role("button", name="Delete for good").click()
    expect(ann.find(".said")).to_contain_text("Well is told nothing more.")


def test_messages_that_do_not_go_out_are_said_to_everybody(told: tuple[Server, State], visit: Visit) -> None:
    ann = visit(told[0], storage_state=told[1]).open("/")
    expect(ann.find(".failing")).to_contain_text("✕ 1 channel cannot be spoken to")
    ann.find(".failing a").click()
    expect(ann.find(".deliveries li").first).to_contain_text("✕ failed")
    # Whoever only looks learns of it too, yet has nothing to go to.
    bob = visit(told[0]).open("/")
    expect(bob.find(".failing")).to_contain_text("✕ 1 channel cannot be spoken to")
    expect(bob.find(".failing a")).to_have_count(0)


def test_a_moment_is_of_the_readers_clock(told: tuple[Server, State], visit: Visit) -> None:
    ann = visit(told[0], storage_state=told[1], timezone_id="Asia/Seoul").open("/alerts/")
    moment = ann.find(".deliveries time").first
    expect(moment).not_to_contain_text("UTC")
    shown, utc = moment.text_content() or "", moment.get_attribute("datetime") or ""
    assert int(shown[-8:-6]) == (int(utc[11:13]) + 9) % 24


@LOOKS
def test_the_pages_are_for_everybody(told: tuple[Server, State], visit: Visit, scheme: str, locale: str) -> None:
    ann = visit(told[0], storage_state=told[1], color_scheme=scheme, locale=locale)
    for path in PAGES:
        ann.open(path)
        ann.page.eval_on_selector_all("details", "all => all.forEach((each) => { each.open = true; })")
        assert not find_faults(ann), path


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
def test_on_a_phone_nothing_runs_over_the_edge(told: tuple[Server, State], visit: Visit, locale: str) -> None:
    ann = visit(told[0], storage_state=told[1], viewport=PHONE, locale=locale)
    for path in PAGES:
        ann.open(path)
        assert ann.spill() <= 0, path
        assert ann.find(".bar").bounding_box()["height"] < 60, path  # type: ignore[index]
