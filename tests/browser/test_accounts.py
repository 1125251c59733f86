"""Uptime, reports and maintenance in a browser: planned, previewed, printed; in both themes, on a phone, in Korean."""

import datetime as dt
import re
import subprocess
import sys
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Visit
from tests.browser.server import ROOT, Server
from tests.browser.test_accessibility import LOOKS, find_faults

PASSWORD = "nine horses drink tea"
# A host that was down for an hour, a minute and a second, yesterday; and staff with a password of their own.
STORY = """
import datetime as dt
from django.contrib.auth import get_user_model
from django.utils import timezone
from monitor.models import Host, Incident, Transition
host = Host.objects.get(slug="gateway")
Transition.objects.filter(host=host).delete()
noon = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0) - dt.timedelta(days=1)
ended = noon + dt.timedelta(seconds=3661)
for at, state in ((noon - dt.timedelta(days=1), "up"), (noon, "down"), (ended, "up")):
    Transition.objects.create(host=host, at=at, state=state)
Incident.objects.create(host=host, state="down", began_at=noon, noticed_at=noon, ended_at=ended, ending="recovered", reason="lost_in_row")
get_user_model().objects.create_superuser("ann", password="nine horses drink tea")
"""


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Lend a site with a host that has a history."""
    server = Server(tmp_path_factory.mktemp("accounts"))
    server.start()
    server.watch({"gateway": "127.0.0.1"})
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", STORY],
        cwd=ROOT,
        env=server.environment,
        check=True,
        capture_output=True,
    )
    yield server
    server.stop()


@pytest.fixture(scope="module")
def cookies(accounts: Server, browser: Browser) -> dict[str, object]:
    """Those of staff who have signed in."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{accounts.url}/admin/login/")
    page.fill("#id_username", "ann")
    page.fill("#id_password", PASSWORD)
    page.click("[type=submit]")
    page.wait_for_url("**/admin/")
    state = context.storage_state()
    context.close()
    return dict(state)


def test_a_window_is_previewed_and_planned(accounts: Server, visit: Visit, cookies: dict[str, object]) -> None:
    ann = visit(accounts, storage_state=cookies).open("/maintenance/")
    ann.page.get_by_role("link", name="Plan a window").click()
    ann.find("#id_name").fill("Router")
    ann.find("#id_starts_on").fill("2032-03-27")
    ann.find("#id_starts_at").fill("02:30")
    ann.find("#id_zone").fill("Europe/Berlin")
    ann.find("#id_recurrence").fill("FREQ=DAILY")
    ann.page.get_by_role("button", name="Preview").click()
    rows = ann.find("tbody tr")
    expect(rows).to_have_count(5)
    # Summer time of 2032 begins on 28 March.
    expect(rows.nth(1)).to_contain_text("2032-03-28 03:30")
    assert not find_faults(ann)
    ann.page.get_by_role("button", name="Save").click()
    expect(ann.find(".windows")).to_contain_text("Router")
    ann.page.get_by_role("button", name="Cancel it").first.click()
    expect(ann.find(".windows")).to_contain_text("cancelled")


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
def test_the_header_of_staff_fits_a_window_of_any_width(
    accounts: Server, visit: Visit, cookies: dict[str, object], locale: str
) -> None:
    ann = visit(accounts, storage_state=cookies, locale=locale).open("/")
    # The connection and how many look take their place as well.
    expect(ann.find("#looking")).not_to_be_empty()
    spilled = {}
    for width in range(320, 1000, 15):
        ann.page.set_viewport_size({"width": width, "height": 700})
        spilled[width] = ann.spill()

    assert {width: by for width, by in spilled.items() if by > 0} == {}


def test_new_forms_begin_in_the_readers_zone(accounts: Server, visit: Visit, cookies: dict[str, object]) -> None:
    options = {"storage_state": cookies, "timezone_id": "Asia/Seoul"}
    ann, bob = visit(accounts, **options), visit(accounts, **options, java_script_enabled=False)
    for path in ("/maintenance/add", "/alerts/add"):
        expect(bob.open(path).find("#id_zone")).to_have_value("UTC")
        zone = ann.open(path).find("#id_zone")
        expect(zone).to_have_value("Asia/Seoul")
        # What was typed stays, where the form comes back with what is wrong.
        ann.find("#id_name").fill("Night")
        zone.fill("Europe/Berlin")
        ann.page.eval_on_selector("main form", "form => { form.noValidate = true; }")
        ann.page.get_by_role("button", name="Save").click()
        expect(ann.find(".problem").first).to_be_visible()
        expect(zone).to_have_value("Europe/Berlin")
    bob.context.pages[0].close()


def test_the_board_and_a_host_say_by_the_readers_clock_until_when_maintenance_lasts(
    accounts: Server, visit: Visit
) -> None:
    ann, bob = (visit(accounts, timezone_id="Asia/Seoul").open(path) for path in ("/", "/hosts/gateway/"))
    expect(ann.find(".row")).to_have_attribute("data-tone", "up")
    began = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0)
    window = f"name='m', minutes=61, starts_on='{began.date()}', starts_at='{began.time()}'"
    accounts.do(f"from monitor.models import Maintenance; Maintenance.objects.create({window})")
    ends = (began + dt.timedelta(minutes=61)).astimezone(ZoneInfo("Asia/Seoul"))
    expect(ann.find(".row .address")).to_have_text(re.compile(f"^in maintenance until (.+, )?{ends:%H:%M}$"))
    expect(bob.verdict).to_have_text(re.compile(f"In maintenance until (.+, )?{ends:%H:%M}: it is measured"))
    # Whoever comes later is told at once, and where no script may run by UTC.
    dora = visit(accounts, java_script_enabled=False).open("/")
    expect(dora.find(".row .address")).to_have_text(re.compile(f"until .*{ends.astimezone(dt.UTC):%H:%M} UTC$"))
    accounts.do("from monitor.models import Maintenance; Maintenance.objects.all().update(cancelled=True)")
    expect(ann.find(".row .address")).to_have_text("127.0.0.1")
    expect(bob.verdict).to_contain_text("Up")


@LOOKS
def test_every_page_is_accessible_and_fits_a_phone(
    accounts: Server, visit: Visit, cookies: dict[str, object], scheme: str, locale: str
) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "locale": locale, "color_scheme": scheme}
    ann = visit(accounts, storage_state=cookies, **phone)
    for path in (
        "/maintenance/", "/maintenance/add", "/hosts/gateway/uptime/?by=month", "/hosts/gateway/report/", "/docs/uptime/",
    ):  # fmt: skip
        ann.open(path)
        assert not find_faults(ann), path
        assert ann.spill() <= 0, path


def test_reports_and_uptime_begin_in_the_readers_zone_and_a_link_keeps_it(accounts: Server, visit: Visit) -> None:
    ann = visit(accounts, timezone_id="Asia/Seoul")
    for path in ("/hosts/gateway/uptime/?by=year", "/hosts/gateway/report/"):
        ann.open(path)
        expect(ann.find("#main")).to_contain_text("All times are of Asia/Seoul.")
        ann.page.wait_for_url("**zone=Asia%2FSeoul*")
    # The zone that somebody chose is nobody's to change.
    ann.find("#zone").fill("UTC")
    ann.page.get_by_role("button", name="Show").click()
    ann.page.wait_for_url("**zone=UTC")
    expect(ann.find("#main")).to_contain_text("All times are of UTC.")
    dora = visit(accounts, timezone_id="Asia/Seoul", java_script_enabled=False).open("/hosts/gateway/uptime/")
    expect(dora.find("#main")).to_contain_text("All times are of UTC.")


def test_the_uptime_of_a_host_is_on_its_page_without_scripts(accounts: Server, visit: Visit) -> None:
    dora = visit(accounts, java_script_enabled=False).open("/hosts/gateway/")
    expect(dora.find(".accounts")).to_contain_text("1 h 1 min 1 s")
    dora.page.get_by_role("link", name="By month").click()
    expect(dora.find(".accounts tbody tr").first).to_contain_text("%")


def test_a_report_prints_without_what_is_only_for_the_screen(accounts: Server, visit: Visit) -> None:
    ann = visit(accounts).open("/hosts/gateway/report/")
    expect(ann.find(".choose")).to_be_visible()
    ann.page.emulate_media(media="print")
    for hidden in (".choose", "header", ".no-print"):
        expect(ann.find(hidden).first).to_be_hidden()
    expect(ann.find(".report")).to_be_visible()
    assert ann.page.evaluate("getComputedStyle(document.querySelector('.table-box')).overflow") == "visible"
    # What happened on one sheet of A4, its days on the other.
    sheets = re.findall(rb"/Type\s*/Page\b", ann.page.pdf(prefer_css_page_size=True))
    assert len(sheets) == 2
