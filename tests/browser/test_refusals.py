"""What the page does with what people should not have typed."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.server import Server
from tests.browser.visitor import Visitor


@pytest.fixture(scope="module")
def at_home(site: Server, browser: Browser) -> Iterator[Visitor]:
    """Lend somebody at the home page with a result on it, who stays there."""
    ann = Visitor(browser.new_context(locale="en-US"), site.url).come_home()
    ann.ask(count=2, interval=0.2)
    ann.wait_for_end()
    yield ann
    ann.check_nothing_complained()
    ann.context.close()


@pytest.fixture
def ann(at_home: Visitor) -> Visitor:
    """Somebody with a result, and a form as it came."""
    at_home.page.eval_on_selector("#ask", "form => form.reset()")
    return at_home


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("-c 99999; id", '"-c 99999; id" is not an address or host name'),
        ("a b", '"a b" is not an address or host name.'),
        ("<img src=x onerror=alert(1)>", '"<img src=x onerror=alert(1)>" is not an address or host name.'),
        ("0x7f000001", "four decimal numbers, such as 192.0.2.1"),
        ("224.0.0.1", "224.0.0.1 is a multicast address."),
        ("255.255.255.255", "255.255.255.255 is a broadcast address."),
        ("fe80::1%lo", "Addresses with a zone"),
        ("x" * 64 + ".example", "more than 63 characters"),
        ("", "Type an address or a host name."),
        ("nowhere.invalid", "nowhere.invalid"),
    ],
)
def test_a_bad_host_is_refused_beside_the_field_and_the_old_result_stays(ann: Visitor, typed: str, answer: str) -> None:
    before = ann.lines.all_inner_texts()
    verdict = ann.verdict.inner_text()
    ann.ask(typed)
    expect(ann.find("#problem")).to_contain_text(answer)
    expect(ann.find("#host")).to_be_focused()
    expect(ann.find("#host")).to_have_attribute("aria-invalid", "true")
    expect(ann.button).to_be_enabled()
    expect(ann.verdict).to_have_text(verdict, use_inner_text=True)
    assert ann.lines.all_inner_texts() == before
    field, problem = (ann.find(name).bounding_box() for name in ("#host", "#problem"))
    assert field is not None
    assert problem is not None
    assert 0 <= problem["y"] - (field["y"] + field["height"]) < 16


def test_the_next_press_forgets_the_refusal(ann: Visitor) -> None:
    ann.ask("a b")
    expect(ann.find("#problem")).not_to_be_empty()
    ann.ask("127.0.0.1", count=2, interval=0.2)
    expect(ann.find("#problem")).to_be_empty()
    expect(ann.find("#host")).not_to_have_attribute("aria-invalid", "true")
    ann.wait_for_end()


@pytest.mark.parametrize(
    ("name", "value", "answer"),
    [
        ("count", "0", "The number of pings is 1 to 100."),
        ("count", "", "The number of pings is 1 to 100."),
        ("interval", "0.01", "The interval is 0.2 to 10 seconds."),
        ("timeout", "99", "The timeout is 0.1 to 10 seconds."),
    ],
)
def test_a_bad_option_is_refused_at_its_own_field_even_when_that_is_folded_away(
    ann: Visitor, name: str, value: str, answer: str
) -> None:
    ann.page.fill(f"#{name}", value)
    ann.page.eval_on_selector("#options", "details => { details.open = false; }")
    ann.button.click()
    expect(ann.find("#problem")).to_contain_text(answer)
    expect(ann.find(f"#{name}")).to_be_focused()
    expect(ann.find("#options")).to_have_attribute("open", "")
