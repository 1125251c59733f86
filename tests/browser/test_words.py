"""Every code that can reach a page has words there, in both languages, and every page for errors can be shown."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from monitor.ping.reply import NOTES, Status
from monitor.wire import Refusal
from monitor.words import SENTENCES, refusal_words, words

MONITOR = Path(__file__).resolve().parents[2] / "monitor"
SCRIPTS = [path.read_text() for path in (MONITOR / "static" / "js").glob("*.js")]
MODULES = [path.read_text() for path in MONITOR.rglob("*.py") if "static" not in path.parts]


def find_all(pattern: str, texts: list[str]) -> set[str]:
    """Everything that the one group of the pattern matches in the texts."""
    return {found for text in texts for found in re.findall(pattern, text)}


def test_every_status_has_a_word() -> None:
    assert {f"status_{status}" for status in Status if status not in NOTES} <= SENTENCES.keys()


def test_every_refusal_of_the_server_has_a_sentence() -> None:
    codes = find_all(r'(?:Refusal|BadHost)\(\s*"(\w+)"', MODULES)
    assert {"bad_host", "unknown_host", "too_fast", "busy", "unknown_run"} & codes
    assert codes <= SENTENCES.keys()
    reasons = find_all(r'_bad\("(\w+)"', MODULES)
    assert {f"bad_host_{reason}" for reason in reasons} - {"bad_host_characters"} <= SENTENCES.keys()


def test_every_sentence_that_a_script_names_exists() -> None:
    named = find_all(r'\bsay\("(\w+)"[,)]', SCRIPTS) | find_all(r'key: "(\w+)"', SCRIPTS)
    assert len(named) > 10
    tones = {"quiet", "running", "up", "degraded", "down", "unmeasured"}
    assert named - tones <= SENTENCES.keys()


@pytest.fixture(params=[code for code, _ in settings.LANGUAGES])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each language of the site, active."""
    with translation.override(request.param):
        yield request.param


def test_words_are_in_the_language_of_the_request(language: str) -> None:
    expected = {"en": "Submit", "ko": "제출"}
    assert words()["submit"] == expected[language]


def test_a_refusal_is_said_without_scripts_as_with_them(language: str) -> None:
    refusal = Refusal("bad_host", "", reason="leading_dash", host="-f {host} %s")
    said = refusal_words(refusal)
    assert '"-f {host} %s"' in said
    assert said == words()["bad_host_leading_dash"].replace("{host}", "-f {host} %s")


def test_a_refusal_without_words_of_its_own_says_what_the_server_said(language: str) -> None:
    assert refusal_words(Refusal("novel", "In English.")) == "In English."


def test_limits_and_waits_are_filled_in(language: str) -> None:
    assert "100" in refusal_words(Refusal("bad_value", "", reason="count"))
    assert "3" in refusal_words(Refusal("too_fast", "", retry_after=2.2))
    assert "{" not in refusal_words(Refusal("bad_value", "", reason="interval"))


@pytest.mark.parametrize("page", ["400", "403", "403_csrf", "404", "500"])
def test_a_page_for_an_error_needs_nothing_but_itself(language: str, page: str) -> None:
    html = render_to_string(f"{page}.html")
    assert f'lang="{language}"' in html
    assert page.removesuffix("_csrf") in html
    assert "<script" not in html
    assert not re.search(r"\sstyle=|\son\w+=", html)
