"""deploy/pingsite.env and the documentation say what the code does."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import load_command_class
from django.core.management.base import BaseCommand

from monitor import wire, wire_watch
from monitor.forms import Subscribe, parse_subscription
from monitor.health import State
from monitor.ping.reply import NOTES, Reply, Status
from pingsite import environment, server
from tests.deploy.deployment import FILES, ROOT, Deployment, exchange, read_surroundings
from tests.deploy.visitor import Visitor
from tests.needs import need

DOCS = ROOT / "templates" / "docs"
PAGES = sorted(page.stem for page in DOCS.glob("*.html"))
CLOSE_CODES = (1001, wire.UNKNOWN_PATH, wire_watch.FORBIDDEN, server.TOO_LARGE, server.TOO_MANY, wire.EVENTS_FAILED)
LANGUAGES = {"en": DOCS, "ko": DOCS / "ko"}
SETTINGS = environment._known | {"DATABASE_URL", "REDIS_URL"}
ENTRY = re.compile(r"(?m)((?:^# .*\n)+)^(#?)([A-Z_]+)=(.*)$")
# What the settings come to, as text.
SHOW = """
import json
from django.conf import settings
settings.DEBUG
print(json.dumps({name: repr(getattr(settings, name)) for name in dir(settings) if name.isupper()}))
"""


def read_entries() -> dict[str, tuple[str, bool, str]]:
    """For each variable in the environment file: what is said of it, whether it is commented out, and its value."""
    entries = ENTRY.findall((FILES / "pingsite.env").read_text())
    return {name: (words, bool(mark), value) for words, mark, name, value in entries}


def read_settings(folder: Path, **env: str) -> dict[str, str]:
    """Every setting under these variables and no other of ours."""
    base = read_surroundings() | {"DJANGO_SETTINGS_MODULE": "pingsite.settings", "PINGSITE_DATA": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", SHOW], env=base | env, cwd=ROOT, capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout))


def read_page(language: str, page: str) -> str:
    """The template of a page."""
    return (LANGUAGES[language] / f"{page}.html").read_text()


def test_the_environment_file_has_every_setting_and_no_other() -> None:
    assert set(read_entries()) == SETTINGS


def test_each_setting_is_explained_in_a_sentence() -> None:
    for name, (words, _, _) in read_entries().items():
        assert re.fullmatch(r"# [A-Z].*\.\n", words, re.DOTALL), name


def test_a_line_that_is_commented_out_shows_the_default(tmp_path: Path) -> None:
    origin = {"PINGSITE_ORIGINS": "https://ping.example.org"}
    shown = {name: value for name, (_, commented, value) in read_entries().items() if commented}
    assert shown.pop("PINGSITE_SECRET_KEY") == ""
    assert read_settings(tmp_path, **origin, **shown) == read_settings(tmp_path, **origin)


def test_the_file_as_it_is_stands_for_a_deployed_site(tmp_path: Path) -> None:
    given = {name: value for name, (_, commented, value) in read_entries().items() if not commented}
    given |= {"PINGSITE_DATA": str(tmp_path), "PINGSITE_STATIC_ROOT": str(tmp_path / "static")}
    settings = read_settings(tmp_path, **given)
    assert settings["PINGSITE_ANONYMOUS_MAY_PING"] == "'global'"
    assert settings["SESSION_COOKIE_SECURE"] == settings["CSRF_COOKIE_SECURE"] == "True"
    assert "RedisLayer" in settings["CHANNEL_LAYERS"]
    assert "postgresql" in settings["DATABASES"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_of_settings_has_every_setting_with_its_default(language: str) -> None:
    text = read_page(language, "settings")
    described = dict(re.findall(r"<dt><code>([A-Z_]+)</code></dt>\s*<dd>(.*?)</dd>", text, re.DOTALL))
    assert set(described) == SETTINGS
    for name, (_, commented, value) in read_entries().items():
        assert not (commented and value) or f"<code>{value}</code>" in described[name], name


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_of_the_socket_has_every_code(language: str) -> None:
    text = read_page(language, "socket")
    sources = "".join(path.read_text() for path in (ROOT / "monitor").rglob("*.py"))
    codes = set(re.findall(r'(?:Refusal|BadHost)\("(\w+)"', sources)) | {"bad_host"}
    codes |= {status.value for status in Status if status not in NOTES}
    codes |= {str(code) for code in CLOSE_CODES} | {state.value for state in State}
    codes |= set(wire.SummaryShape.__annotations__) | set(wire.Line.__annotations__)
    codes |= set(wire_watch.Figures.__annotations__)
    assert {code for code in codes if f"<code>{code}</code>" not in text and f'"{code}"' not in text} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_of_the_socket_has_every_event_of_the_board(language: str) -> None:
    text = read_page(language, "socket")
    lines = re.findall(
        r'(?m)(?:<code>|^)({"event": "(?:subscribe|subscribed|looking|hosts|line|incidents)".*?})(?:</code>|$)', text
    )
    shown = {event["event"]: event for event in map(json.loads, lines)}
    told = (
        wire_watch.looking_json(1),
        wire_watch.subscribed_json(1),
        wire_watch.hosts_json(2, 1, 0, [wire_watch.row_json(1, State.UP, 1, 0.0, 0, 0)], [], [], None),
        wire_watch.incidents_json([1], 1),
        wire_watch.line_json(1, 1, Reply(0, Status.TIMEOUT, 0)),
    )
    for event in map(json.loads, told):
        assert set(shown[event["event"]]) == set(event)
    assert isinstance(parse_subscription(json.dumps(shown["subscribe"])), Subscribe)


def test_both_languages_have_the_same_pages_codes_and_links() -> None:
    assert sorted(page.stem for page in LANGUAGES["ko"].glob("*.html")) == PAGES
    for page in PAGES:
        marks = [
            (re.findall(r"<(h\d|dt|tr|li|pre|p)\b", text), sorted(re.findall(r"{% url.*?%}", text)))
            for text in (read_page(language, page) for language in LANGUAGES)
        ]
        assert marks[0] == marks[1], page


@pytest.mark.parametrize("language", LANGUAGES)
def test_files_that_are_named_are_there(language: str) -> None:
    text = "".join(read_page(language, page) for page in PAGES)
    text += "".join((ROOT / name).read_text() for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"))
    named = set(re.findall(r"(?<![\w/])(?:deploy|monitor|pingsite|tests|templates)/[\w./@-]*\w", text))
    assert named
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_commands_that_are_named_exist() -> None:
    text = "".join(read_page("en", page) for page in PAGES) + (ROOT / "README.md").read_text()
    commands = set(re.findall(r"manage\.py (?:<var>)?([a-z]+)", text))
    django = {"createsuperuser", "changepassword", "check", "collectstatic", "migrate"}
    own = {path.stem for path in (ROOT / "monitor" / "management" / "commands").glob("[a-z]*.py")}
    assert commands <= own | django
    terminal = read_page("en", "terminal")
    assert {name for name in own if f"<code>{name}" not in terminal} == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("command", ["serve", "ping", "doctor", "watch", "load"])
def test_the_page_of_the_terminal_has_every_option(command: str, language: str) -> None:
    ours, common = (
        {option for action in each.create_parser("manage.py", command)._actions for option in action.option_strings}
        for each in (load_command_class("monitor", command), BaseCommand())
    )
    text = read_page(language, "terminal")
    assert {option for option in ours - common if f"<code>{option}</code>" not in text} == set()


def test_the_architecture_has_every_file_of_the_library() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    files = {path.name for path in (ROOT / "monitor" / "ping").glob("[a-z]*.py")}
    assert {name for name in files if f"`{name}`" not in text} == set()


def test_the_arguments_of_stock_daphne_are_ones_it_has() -> None:
    (command,) = re.findall(r"<code>(daphne --unix-socket.*?)</code>", read_page("en", "deploy"), re.DOTALL)
    words = shlex.split(command.replace("\\\n", ""))
    arguments = server.CommandLine().parser.parse_args(words[1:])
    assert arguments.proxy_headers_host == "X-Real-IP"


def test_the_command_that_asks_for_readiness_works(site: Deployment) -> None:
    need("curl")
    (command,) = re.findall(r"curl --unix-socket .*?(?=</code>)", read_page("en", "deploy"))
    words = shlex.split(exchange(command, {"/run/pingsite": f"{site.folder}/run"}))
    answer = subprocess.run([*words, "--silent"], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(answer.stdout)["status"] == "ok"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_served_in_the_readers_language(visitor: Visitor, page: str, language: str) -> None:
    path = "/docs/" if page == "index" else f"/docs/{page}/"
    answer = visitor.get(path, Accept_Language=language)
    assert answer.status == 200
    assert f'<html lang="{language}">' in answer.text
    title = re.search(r"{% block name %}(.*?){% endblock %}", read_page(language, page))
    assert title
    assert f"<title>{title[1]} · pingsite</title>" in answer.text
    links = set(re.findall(r'href="(/docs/[^"#]*)', answer.text))
    assert len(links) == len(PAGES)
    assert f'<a href="{path}" aria-current="page">' in answer.text


def test_a_page_that_is_not_there_is_not_found(visitor: Visitor, site: Deployment) -> None:
    before = [web.log.stat().st_size for web in site.web]
    for path in ("/docs/layout/", "/docs/none/", "/docs/ko/", "/docs/en/"):
        assert visitor.get(path).status == 404
    said = [web.log.read_bytes()[size:] for web, size in zip(site.web, before, strict=True)]
    assert b"Traceback" not in b"".join(said)
