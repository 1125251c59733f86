"""Languages, themes, widths: the page as different people read it."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.server import Server

PHONE = {"width": 390, "height": 844}
HANGUL = re.compile("[가-힣]")


def test_a_korean_browser_gets_korean_throughout(site: Server, visit: Visit) -> None:
    ji = visit(site, locale="ko-KR").come_home()
    expect(ji.find("html")).to_have_attribute("lang", "ko")
    expect(ji.find("h1")).to_have_text("어디든 핑을 보내고 바로 확인하세요.")
    expect(ji.header).to_contain_text("웹소켓 연결됨")
    expect(ji.verdict).to_have_text("제출을 누르면 127.0.0.1로 핑을 다섯 번 보냅니다.")
    ji.ask(interval=0.5)
    expect(ji.button).to_have_text("로딩 중..")
    expect(ji.verdict).to_have_text(re.compile(r"◌ 127\.0\.0\.1에 핑 보내는 중: \d/5"))
    ji.wait_for_end()
    expect(ji.verdict).to_have_text(re.compile(r"✓ 5회 중 5회 응답, 평균 [\d.]+ ms"))
    ji.ask("-f")
    expect(ji.find("#problem")).to_contain_text('"-f"은(는) 주소나 호스트 이름이 아닙니다.')


def test_every_sentence_of_the_scripts_is_korean_there(site: Server, visit: Visit) -> None:
    english = visit(site).open().words
    korean = visit(site, locale="ko-KR").open().words
    assert korean.keys() == english.keys()
    untranslated = {key for key, text in korean.items() if not HANGUL.search(text)}
    assert untranslated == {"percent"}
    for key, text in english.items():
        assert set(re.findall(r"{\w+}", korean[key])) <= set(re.findall(r"{\w+}", text)), key


def test_the_switch_changes_the_language_and_stays_on_the_page(site: Server, visit: Visit) -> None:
    ann = visit(site).come_home()
    ann.page.get_by_role("button", name="한국어").click()
    expect(ann.find("h1")).to_have_text("어디든 핑을 보내고 바로 확인하세요.")
    ann.page.get_by_role("button", name="English").click()
    expect(ann.find("h1")).to_have_text("Ping anything. Watch it live.")
    assert ann.page.url.endswith("/home")


def test_dark_is_dark_and_light_is_light(site: Server, visit: Visit) -> None:
    brightness = {}
    for scheme in ("light", "dark"):
        ann = visit(site, color_scheme=scheme).come_home()
        ground = ann.page.evaluate("getComputedStyle(document.body).backgroundColor")
        brightness[scheme] = sum(int(part) for part in re.findall(r"\d+", ground)[:3])
    assert brightness["light"] > 600
    assert brightness["dark"] < 150


def test_a_change_of_theme_repaints_the_chart(site: Server, visit: Visit) -> None:
    ann = visit(site).come_home()
    ann.ask(count=2, interval=0.2)
    ann.wait_for_end()
    picture = "document.querySelector('#chart canvas').toDataURL()"
    light = ann.page.evaluate(picture)
    ann.page.emulate_media(color_scheme="dark")
    ann.page.wait_for_function(f"light => {picture} !== light", arg=light)
    assert ann.find("#chart canvas").count() == 1


def test_the_chart_follows_the_width_of_the_window(site: Server, visit: Visit) -> None:
    ann = visit(site).come_home()
    ann.page.set_viewport_size(PHONE)
    ann.page.wait_for_function(
        "document.querySelector('#chart canvas').clientWidth === document.querySelector('#chart').clientWidth"
    )
    assert ann.spill() <= 0


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
def test_a_phone_needs_no_sideways_scrolling_and_the_header_is_one_row(site: Server, visit: Visit, locale: str) -> None:
    ann = visit(site, locale=locale, viewport=PHONE, has_touch=True).come_home()
    ann.page.eval_on_selector("#options", "details => { details.open = true; }")
    ann.ask(count=3, interval=0.2)
    ann.wait_for_end()
    ann.ask("x" * 250)
    expect(ann.find("#problem")).not_to_be_empty()
    assert ann.spill() <= 0
    tops = ann.page.eval_on_selector_all(
        ".bar .column > *", "all => all.filter((each) => each.offsetWidth).map((each) => each.getBoundingClientRect())"
    )
    middles = [(box["top"] + box["bottom"]) / 2 for box in tops]
    assert max(middles) - min(middles) < 4
    ann.open(ann.find("#link").get_attribute("href") or "")
    assert ann.spill() <= 0


def test_times_are_in_the_zone_of_the_reader(site: Server, visit: Visit) -> None:
    ann = visit(site, timezone_id="Asia/Seoul").come_home()
    ann.ask(count=1)
    ann.wait_for_end()
    ann.open(ann.find("#link").get_attribute("href") or "")
    time = ann.find("main time")
    expect(time).not_to_contain_text("UTC")
    here = ann.page.evaluate(
        "new Date(document.querySelector('main time').dateTime)"
        ".toLocaleTimeString('en', { hourCycle: 'h23', hour: '2-digit', minute: '2-digit', second: '2-digit' })"
    )
    expect(time).to_contain_text(here)
