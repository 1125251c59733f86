"""Every page, in every state and both themes, before axe-core: nothing serious, nothing critical."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import FarSite, Visit
from tests.browser.server import Server
from tests.browser.visitor import Visitor

AXE = (Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js").read_text()
# Preloading style sheets would insert them inline, which the page's policy rightly refuses.
RUN = """rules => axe.run(document, { resultTypes: ["violations"], preload: false, rules }).then((all) => all.violations)"""
# The label of the admin's search field is a picture, whose text axe-core does not count as visible.
ADMIN_EXCEPTION = "label-title-only"
GRAVE = ("serious", "critical")
THEMES = pytest.mark.parametrize("scheme", ["light", "dark"])
# Colours are those of a theme in any language, and words those of a language in any theme.
LOOKS = pytest.mark.parametrize(("scheme", "locale"), [("light", "en-US"), ("dark", "ko-KR")])


def find_faults(visitor: Visitor, *without: str) -> list[str]:
    """What axe-core finds grave on the page as it is now."""
    if visitor.page.evaluate("!window.axe"):
        visitor.page.evaluate(AXE)
    violations = visitor.page.evaluate(RUN, {rule: {"enabled": False} for rule in without})
    return [
        f"{violation['id']}: {node['html'][:120]} {node['failureSummary']}"
        for violation in violations
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]


@THEMES
def test_the_home_page_in_all_its_states(far_site: FarSite, visit: Visit, scheme: str) -> None:
    ann = visit(far_site, color_scheme=scheme).come_home()
    assert not find_faults(ann)
    ann.page.eval_on_selector_all("details", "all => all.forEach((each) => { each.open = true; })")
    ann.ask("10.77.50.5", count=10, interval=0.3, timeout=0.3)
    ann.wait_for_lines(4)
    assert not find_faults(ann)
    ann.wait_for_end()
    assert not find_faults(ann)
    ann.ask("10.77.100.1", count=2, interval=0.2, timeout=0.3)
    expect(ann.verdict).to_have_attribute("data-tone", "down")
    ann.ask("-f")
    expect(ann.find("#problem")).not_to_be_empty()
    assert not find_faults(ann)
    ann.page.keyboard.press("Tab")
    ann.page.click("#show-keys")
    assert not find_faults(ann)


@THEMES
def test_the_home_page_without_its_server(own_site: Server, visit: Visit, scheme: str) -> None:
    ann = visit(own_site, color_scheme=scheme).come_home()
    ann.ask(count=30, interval=0.3)
    ann.wait_for_lines(2)
    own_site.stop()
    expect(ann.find("#result.stale")).to_be_visible()
    assert not find_faults(ann)
    expect(ann.header).to_contain_text("Reconnecting")
    assert not find_faults(ann)


@LOOKS
def test_a_run_and_the_pages_of_words(site: Server, visit: Visit, scheme: str, locale: str) -> None:
    ann = visit(site, color_scheme=scheme, locale=locale).come_home()
    ann.ask(count=2, interval=0.2)
    ann.wait_for_end()
    link = ann.find("#link").get_attribute("href") or ""
    for path in (link, "/no-such-page", "/docs/", "/admin/login/"):
        ann.open(path)
        assert not find_faults(ann), path


@pytest.fixture(scope="package")
def staff_state(site: Server, browser: object) -> dict[str, object]:
    """The cookies of the first account, which has chosen its password."""
    context = browser.new_context(locale="en-US")  # type: ignore[attr-defined]
    page = context.new_page()
    page.goto(f"{site.url}/admin/login/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", site.first_password)
    page.click("[type=submit]")
    page.fill("#id_old_password", site.first_password)
    for field in ("#id_new_password1", "#id_new_password2"):
        page.fill(field, "nine horses drink tea")
    page.click("#content-main [type=submit]")
    page.wait_for_url("**/password_change/done/")
    state = context.storage_state()
    context.close()
    return state


@THEMES
def test_the_admin(site: Server, visit: Visit, staff_state: dict[str, object], scheme: str) -> None:
    ann = visit(site, color_scheme=scheme, storage_state=staff_state).come_home()
    ann.ask(count=2, interval=0.2)
    ann.wait_for_end()
    ann.page.get_by_role("link", name="Admin").click()
    assert not find_faults(ann, ADMIN_EXCEPTION)
    for path in ("/admin/monitor/run/", "/admin/monitor/ping/", "/admin/monitor/user/", "/admin/password_change/"):
        ann.open(path)
        assert not find_faults(ann, ADMIN_EXCEPTION), path
    ann.open("/admin/monitor/run/")
    ann.page.locator("#result_list tbody th a").first.click()
    assert not find_faults(ann, ADMIN_EXCEPTION)


def test_the_header_of_staff_is_one_row_on_a_phone(site: Server, visit: Visit, staff_state: dict[str, object]) -> None:
    ann = visit(site, storage_state=staff_state, viewport={"width": 390, "height": 844}).come_home()
    expect(ann.page.get_by_role("link", name="Admin")).to_be_visible()
    for key in ("connected", "disconnected", "reconnecting"):
        words = ann.words[key].replace("{s}", "10")
        ann.header.locator(".words").evaluate("(element, text) => { element.textContent = text; }", words)
        assert ann.spill() <= 0, key
        edge = ann.page.evaluate("document.querySelector('.language').getBoundingClientRect().right")
        assert edge <= 390, key
