"""Incidents, rules and what a browser tells of them, as people meet them."""

import re
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visit
from tests.browser.outages import make_past, run
from tests.browser.server import Server
from tests.browser.test_accessibility import LOOKS, find_faults
from tests.browser.test_board import PHONE, State, sign_in
from tests.browser.visitor import PATIENCE, Visitor

# What would be shown is written down beside, for a browser without a desktop shows nothing.
LISTEN = """
window.told = [];
const Real = Notification;
window.Notification = class extends Real {
  constructor(title, options) { super(title, options); window.told.push(title); }
};
"""

# An incident that began twenty minutes ago, and ended fifteen minutes ago: half of its chart is shaded then.
BEGIN = """
import datetime as dt
from django.utils import timezone
from monitor.models import Host, Incident
now = timezone.now()
print(Incident.objects.create(host=Host.objects.get(name="gateway"), state="down", reason="lost_in_row", news=False,
    began_at=now - dt.timedelta(minutes=20), noticed_at=now).identity)
"""
END = """
import datetime as dt
from monitor.models import Channel, Delivery, Incident
incident = Incident.objects.get(host__name="gateway", ended_at=None)
incident.ended_at, incident.ending = incident.began_at + dt.timedelta(minutes=5), "recovered"
incident.save()
Delivery.objects.create(channel=Channel.objects.get(), incident=incident, occasion="recovered", fate="sent",
    outcome="200 OK", ended_at=incident.ended_at)
"""
# How much of the chart's width the bar of what is down takes, in the row of pixels where it is widest.
SHADED = """() => {
  const canvas = document.querySelector("#smoke canvas");
  if (!canvas) return 0;
  const { width, height } = canvas;
  const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, width, Math.floor(height / 3));
  const rows = new Array(data.length / 4 / width).fill(0);
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3] === 255 && data[at] > data[at + 1] + 60) rows[Math.floor(at / 4 / width)] += 1;
  }
  return Math.max(...rows) / width;
}"""


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[tuple[Server, State, str]]:
    """Lend a site with a past, the cookies of its staff, and the address of an incident."""
    server = Server(tmp_path_factory.mktemp("past"))
    server.start()
    path = make_past(server)
    yield server, sign_in(server, browser), path
    server.stop()


Past = tuple[Server, State, str]


@LOOKS
def test_the_pages_are_for_everybody(past: Past, visit: Visit, scheme: str, locale: str) -> None:
    server, state, path = past
    ann = visit(server, storage_state=state, color_scheme=scheme, locale=locale)
    for place in ("/incidents/", path, "/hosts/gateway/rules", "/docs/incidents/", "/hosts/gateway/edit"):
        ann.open(place)
        ann.page.eval_on_selector_all("details", "all => all.forEach((each) => { each.open = true; })")
        assert not find_faults(ann), place


def test_on_a_phone_nothing_runs_over_the_edge(past: Past, visit: Visit) -> None:
    server, state, path = past
    for locale in ("en-US", "ko-KR"):
        ann = visit(server, storage_state=state, viewport=PHONE, locale=locale)
        for place in ("/incidents/", path, "/rules", "/hosts/gateway/", "/", "/home"):
            ann.open(place)
            assert ann.spill() <= 0, place
            assert ann.find(".bar").bounding_box()["height"] < 60, place  # type: ignore[index]


def test_an_incident_that_ends_is_shown_as_soon_as_the_socket_tells(past: Past, visit: Visit) -> None:
    server, _, _ = past
    ann, bob, charlie = visit(server), visit(server), visit(server).open("/")
    dora = visit(server, timezone_id="Asia/Seoul").open("/hosts/nowhere/")
    expect(dora.find("#header")).to_have_attribute("data-tone", "up")
    number = charlie.find("#open .number")
    before = int(number.text_content() or "")
    expect(charlie.find("#header")).to_have_attribute("data-tone", "up")
    told: list[str] = []
    ann.page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: told.append(str(frame))))
    ann.open("/incidents/")
    going = ann.find("[data-open]").filter(has_text="nowhere")
    expect(going).to_have_count(1)
    bob.open(going.locator(".what a").first.get_attribute("href") or "")
    verdict = bob.find(".host-verdict")
    expect(verdict).to_contain_text("going on")
    length = dora.find("#incidents [data-since]")
    expect(length).to_have_count(1)
    pause = "from monitor.models import Host; from monitor.roster import pause_hosts; "
    run(server, pause + "pause_hosts([Host.objects.get(name='nowhere').pk], paused=True)")
    expect(going).to_have_count(0)
    expect(verdict).to_contain_text("paused")
    expect(number).to_have_text(str(before - 1))
    expect(length).to_have_count(0)
    expect(dora.find("#incidents time").first).not_to_contain_text("UTC")
    assert any('"incidents"' in frame for frame in told)
    run(server, pause + "pause_hosts([Host.objects.get(name='nowhere').pk], paused=False)")


def wait_for_shade(ann: Visitor, right: Callable[[float], bool]) -> None:
    """Wait until the bar of what is down takes a share of the chart's width that is right."""
    deadline = time.monotonic() + PATIENCE / 1000
    while not right(share := ann.page.evaluate(SHADED)):
        assert time.monotonic() < deadline, share
        ann.page.wait_for_timeout(100)


def test_the_chart_and_who_was_told_follow_the_end(past: Past, visit: Visit) -> None:
    server, state, _ = past
    path = run(server, BEGIN)
    ann = visit(server, storage_state=state).open(f"/incidents/{path}/")
    expect(ann.find("#told")).not_to_contain_text("Ops room")
    wait_for_shade(ann, lambda share: share > 0.6)
    run(server, END)
    # As whoever comes back to the tab.
    ann.page.evaluate("dispatchEvent(new Event('focus'))")
    expect(ann.find("#told")).to_contain_text("Ops room")
    expect(ann.find("#told time")).not_to_contain_text("UTC")
    wait_for_shade(ann, lambda share: share < 0.6)
    assert not find_faults(ann)


def test_the_length_of_an_open_one_goes_on_and_times_are_the_readers(past: Past, visit: Visit) -> None:
    server, _, _ = past
    run(server, """
import datetime as dt
from django.utils import timezone
from monitor.models import Host, Incident
now = timezone.now()
Incident.objects.filter(host__name="far", ended_at=None).delete()
Incident.objects.create(host=Host.objects.get(name="far"), state="down", reason="lost_in_row", news=False,
    began_at=now - dt.timedelta(seconds=70), noticed_at=now)
""")  # fmt: skip
    ann = visit(server, timezone_id="Asia/Seoul").open("/incidents/")
    counter = ann.find("[data-open] .what").filter(has_text="far: no reply for 1 min").locator(".span")
    before = counter.text_content()
    expect(counter).not_to_have_text(before or "")
    shown, utc = ann.page.evaluate(
        "[document.querySelector('.when time').textContent, document.querySelector('.when time').dateTime]"
    )
    assert int(shown[-8:-6]) == (int(utc[11:13]) + 9) % 24
    # Without scripts they are UTC, and say so.
    bob = visit(server, java_script_enabled=False).open("/incidents/")
    expect(bob.find(".when time").first).to_have_text(re.compile("UTC$"))
    bob.context.pages[0].close()


def test_the_page_draws_the_packets_and_takes_notes(past: Past, visit: Visit) -> None:
    server, state, path = past
    ann = visit(server, storage_state=state).open(path)
    expect(ann.find(".verdict")).to_have_text(re.compile(r"✕ Down: no reply for 12 min 20 s \(recovered\)"))
    expect(ann.find("#smoke canvas")).to_be_visible()
    ann.find("#smoke").focus()
    ann.page.keyboard.press("Home")
    expect(ann.find("#readout")).to_contain_text("ms")
    ann.page.fill("#text", "It was the cable.")
    ann.page.get_by_role("button", name="Add the note").click()
    expect(ann.find(".note-item").last).to_contain_text("It was the cable.")


def test_a_shared_link_is_read_by_strangers_until_it_is_revoked(past: Past, visit: Visit) -> None:
    server, state, path = past
    ann = visit(server, storage_state=state).open(path)
    ann.page.get_by_role("button", name="Make a public link").click()
    expect(ann.find(".share code")).to_have_text(server.url + path)
    ann.page.get_by_role("button", name="Revoke the link").click()
    expect(ann.find(".share code")).to_have_count(0)


def test_rules_are_tried_and_nothing_is_saved(past: Past, visit: Visit) -> None:
    server, state, _ = past
    ann = visit(server, storage_state=state).open("/hosts/gateway/rules")
    ann.page.fill("#loss", "50")
    ann.page.fill("#down_loss", "20")
    ann.page.get_by_role("button", name="Try on the last 30 days").click()
    expect(ann.find("#loss")).to_have_attribute("aria-invalid", "true")
    expect(ann.find("#loss-hint")).to_contain_text("less than down by loss")
    assert not find_faults(ann)
    for name, value in {"loss": "0", "down_loss": "0", "p95_times": "0", "lost_in_row": "100"}.items():
        ann.page.fill(f"#{name}", value)
    ann.page.get_by_role("button", name="Try on the last 30 days").click()
    expect(ann.find("#trial-title")).to_have_text("With these rules the last 30 days would have had 1 incident.")
    expect(ann.find(".parts li")).to_contain_text("no reply for 12 min 20 s")
    expect(ann.find("#smoke canvas")).to_be_visible()
    assert not find_faults(ann)
    assert run(server, "from monitor.models import Rules; print(Rules.objects.count())") == "0"
    ann.page.get_by_role("button", name="Save").click()
    expect(ann.find(".said")).to_contain_text("The rules are saved")
    ann.page.get_by_role("button", name="Use the wider rules").click()
    expect(ann.find(".said")).to_contain_text("The wider rules apply again.")


def test_the_tab_and_notifications_follow_the_state(past: Past, visit: Visit) -> None:
    server, _, _ = past
    server.watch({"gateway": "127.0.0.1", "far": "127.0.0.2"})
    run(server, "from monitor.models import Host; Host.objects.filter(name='nowhere').update(paused=True); "
        "Host.objects.get(name='nowhere').save()")  # fmt: skip
    ann = visit(server, permissions=["notifications"])
    ann.context.add_init_script(LISTEN)
    ann.open("/")
    icon = ann.find("link[rel=icon]")
    expect(ann.find("#sentence")).to_contain_text("2 of 3 hosts answer")
    expect(icon).to_have_attribute("href", re.compile("icons/up.svg$"))
    button = ann.find("#bell button")
    expect(button).to_have_attribute("aria-pressed", "false")
    # An address of which nobody answers, from a network of this machine's own.
    run(server, "from monitor.models import Host; h = Host.objects.get(name='far'); h.host = 'no-such-host.invalid'; "
        "h.address = None; h.save()")  # fmt: skip
    expect(icon).to_have_attribute("href", re.compile("icons/unknown.svg$"))
    assert ann.page.evaluate("window.told") == []
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    run(server, "from monitor.models import Host; h = Host.objects.get(name='far'); h.host = '127.0.0.2'; h.save()")
    expect(icon).to_have_attribute("href", re.compile("icons/up.svg$"))
    assert ann.page.evaluate("window.told") == ["✓ far is up again"]
    assert not find_faults(ann)
    ann.page.reload()
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")


def test_a_browser_that_forbids_it_is_told_so(past: Past, visit: Visit) -> None:
    server, _, _ = past
    ann = visit(server).open("/")
    ann.find("#bell button").click()
    expect(ann.find("#bell [role=status]")).to_contain_text("This browser forbids it.")
    expect(ann.find("#bell button")).to_have_attribute("aria-pressed", "false")
    assert not ann.find("#bell input").is_checked()
