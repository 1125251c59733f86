"""Watched hosts that lose pings, refuse them or never answer, in a network whose addresses say how they do."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import FarSite, Visit
from tests.browser.relay import Relay
from tests.browser.test_accessibility import THEMES, find_faults
from tests.browser.test_incidents import LISTEN
from tests.browser.visitor import Visitor
from tests.ping.network import Truth

CUT = "table inet cut { chain out { type filter hook output priority 0; ip daddr 10.77.0.15 drop; }; }"
# Audio contexts that the page made, and the pitch of each tone that was played to its end.
HEAR = """
window.contexts = [];
window.heard = [];
const RealContext = AudioContext;
window.AudioContext = class extends RealContext {
  constructor() { super(); window.contexts.push(this); }
  createOscillator() {
    const tone = super.createOscillator();
    tone.addEventListener("ended", () => {
      document.documentElement.dataset.heard = window.heard.push(tone.frequency.value);
    });
    return tone;
  }
};
"""
HOSTS = {"lossy": "10.77.40.20", "dead": "10.77.100.1", "refused": "10.79.3.1", "well": "10.77.0.15"}
# Where the strip of losses stands, as shares of the chart's canvas that are not empty there.
INKED = """() => {
  const canvas = document.querySelector("#smoke canvas");
  const { left, top, width, height } = document.querySelector("#smoke .u-over").getBoundingClientRect();
  const frame = canvas.getBoundingClientRect();
  const [x, y] = [left - frame.left, top - frame.top + height - 2].map((edge) => Math.round(edge * devicePixelRatio));
  const { data } = canvas.getContext("2d").getImageData(x, y, Math.round(width * devicePixelRatio), 1);
  let red = 0;
  for (let i = 0; i < data.length; i += 4) if (data[i] > data[i + 1] + 60) red += 1;
  return red;
}"""


@pytest.fixture(scope="module")
def far_hosts(far_site: FarSite) -> FarSite:
    """Lend a site that watches them, five times a second, and judges by twenty seconds instead of five minutes."""
    far_site.server.do("from monitor.models import Rules; Rules.objects.create(window_s=20)")
    far_site.server.watch(HOSTS, interval="0.2", timeout="0.5")
    return far_site


def open_live(ann: Visitor, host: str) -> Visitor:
    """Open the live page of a host, and wait for its chart."""
    ann.open(f"/hosts/{host}/?range=live")
    expect(ann.find("#resolution")).to_contain_text("Each point is")
    return ann


def test_the_worst_stand_first_and_say_what_is_wrong(far_hosts: FarSite, visit: Visit) -> None:
    ann = visit(far_hosts)
    ann.page.clock.install()
    ann.open("/")
    expect(ann.find("#sentence")).to_have_text("3 of 4 hosts need attention.")
    row = {name: ann.find(".row").filter(has_text=name) for name in HOSTS}
    expect(row["dead"]).to_contain_text("✕ down")
    expect(row["dead"].locator(".now")).to_contain_text("no reply")
    expect(row["refused"].locator(".now")).to_contain_text("host unreachable")
    expect(row["lossy"]).to_contain_text("▲ degraded")
    expect(row["well"]).to_contain_text("✓ up")
    # The order may change every ten seconds.
    ann.page.clock.fast_forward(11_000)
    expect(ann.find(".row a")).to_have_text(["dead", "refused", "lossy", "well"])


def test_a_host_that_goes_down_is_shown_and_heard_where_somebody_wished_it(
    far_hosts: FarSite, truth: Truth, visit: Visit
) -> None:
    # It is to be down at once, without having been degraded before.
    rules = "host=Host.objects.get(name='well'), loss=0, p95_times=0"
    far_hosts.server.do(f"from monitor.models import Host, Rules; Rules.objects.create({rules})")
    ann = visit(far_hosts, permissions=["notifications"])
    ann.context.add_init_script(LISTEN + HEAR)
    ann.open("/hosts/well/")
    icon = ann.find("link[rel=icon]")
    expect(icon).to_have_attribute("href", re.compile("icons/up.svg$"))
    ann.find("#bell button").click()
    ann.find("#bell input").check()
    # It says at once what it is like: two tones, rising, by the clock of a real audio context.
    expect(ann.find("html")).to_have_attribute("data-heard", "2")
    assert ann.page.evaluate("[heard[0] < heard[1], contexts.length, contexts[0].state]") == [True, 1, "running"]
    truth.run("nft", CUT)
    try:
        expect(icon).to_have_attribute("href", re.compile("icons/down.svg$"))
        expect(ann.page).to_have_title(re.compile("^✕ well"))
        expect(ann.find("html")).to_have_attribute("data-heard", "4")
        assert ann.page.evaluate("[told, heard[2] > heard[3]]") == [["✕ well is down"], True]
        # Whoever did not ask for it is told nothing; the board's icon says it to everybody.
        bob = visit(far_hosts, permissions=["notifications"])
        bob.context.add_init_script(LISTEN + HEAR)
        bob.open("/")
        expect(bob.find("link[rel=icon]")).to_have_attribute("href", re.compile("icons/down.svg$"))
    finally:
        truth.run("nft", "delete table inet cut")
    expect(icon).to_have_attribute("href", re.compile("icons/up.svg$"))
    expect(ann.find("html")).to_have_attribute("data-heard", "6")
    assert ann.page.evaluate("told") == ["✕ well is down", "✓ well is up again"]
    assert bob.page.evaluate("[told, heard, contexts]") == [[], [], []]


def test_a_loss_is_a_sentence_a_share_a_line_and_a_mark_in_the_chart(far_hosts: FarSite, visit: Visit) -> None:
    ann = open_live(visit(far_hosts), "lossy")
    expect(ann.verdict).to_have_attribute("data-tone", "degraded")
    expect(ann.verdict).to_have_text(re.compile(r"▲ Degraded for .+: [345]\d % of pings have no reply"))
    lost = ann.find("#replies .line[data-status=timeout]")
    expect(lost.first).to_contain_text("✕ no reply")
    expect(ann.find("#loss")).to_have_text(re.compile(r"[34]\d %"))
    ann.page.wait_for_function(f"({INKED})() > 2")


def test_lines_and_points_stand_in_the_order_sent_although_losses_are_known_late(
    far_hosts: FarSite, visit: Visit
) -> None:
    ann = open_live(visit(far_hosts), "lossy")
    expect(ann.find("#replies .line[data-status=timeout]").nth(3)).to_be_attached()
    sent = ann.page.eval_on_selector_all("#replies .line", "all => all.map(({ dataset }) => Number(dataset.sent))")
    assert sent == sorted(sent)
    ann.find("#table summary").click()
    rows = ann.find("#table tbody tr")
    expect(rows.first).to_be_attached()
    cells = rows.all_inner_texts()
    assert any(re.search(r"\t1\t1\t–\t", row) for row in cells), cells[:20]


def test_a_host_that_never_answers_has_no_round_trip(far_hosts: FarSite, visit: Visit) -> None:
    ann = open_live(visit(far_hosts), "dead")
    expect(ann.verdict).to_have_text(re.compile(r"✕ Down for .+: no reply"))
    expect(ann.find("#now")).to_have_text("no reply")
    expect(ann.find("#median")).to_have_text("–")
    expect(ann.find("#spread")).to_have_text("No reply in this time.")
    ann.find("#smoke").press("End")
    expect(ann.find("#readout")).to_contain_text(re.compile("no reply|nobody was watching"))


def test_a_page_whose_server_goes_looks_old_and_goes_on_when_it_is_back(far_hosts: FarSite, visit: Visit) -> None:
    server = far_hosts.server
    relay = Relay(server.port, far_hosts.relay.inside)
    ann = open_live(visit(relay), "well")
    lines = ann.find("#replies .line")
    expect(lines.nth(2)).to_be_attached()
    relay.cut()
    expect(ann.find("#history")).to_have_class(re.compile(r"\bstale\b"))
    expect(ann.find("#notice")).to_contain_text(re.compile(r"▨ as of \d\d:\d\d:\d\d"))
    before = lines.count()
    relay.mend()
    ann.find("#try-now").dispatch_event("click")
    expect(ann.find("#history")).not_to_have_class(re.compile(r"\bstale\b"))
    expect(lines.nth(before + 2)).to_be_attached()
    relay.cut()


@THEMES
def test_nothing_grave_is_found_where_pings_are_lost(far_hosts: FarSite, visit: Visit, scheme: str) -> None:
    ann = visit(far_hosts, color_scheme=scheme).open("/")
    expect(ann.find(".row[data-tone=degraded]")).to_be_attached()
    assert not find_faults(ann)
    for host in ("lossy", "dead"):
        assert not find_faults(open_live(ann, host)), host
