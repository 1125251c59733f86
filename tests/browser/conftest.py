"""A browser, a server and people, lent to the tests of the pages."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.relay import Relay
from tests.browser.server import Server
from tests.browser.visitor import Visitor
from tests.needs import need
from tests.ping.network import Truth, truth

__all__ = ["truth"]

# While a smooth scroll comes to its end, Chromium loses the next key that scrolls: 6 of 40 on a page without scripts.
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--disable-smooth-scrolling",
)  # fmt: skip

Visit = Callable[..., Visitor]


# Not for the whole session: while it lives, no asyncio loop of another test can run.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Lend the system's Chromium, which asks nobody for anything."""
    need("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Lend a running site that everybody shares."""
    server = Server(tmp_path_factory.mktemp("site"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def new_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Lend a site that nobody has touched yet."""
    server = Server(tmp_path_factory.mktemp("new"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="package")
def fragile_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Lend a site that is stopped now and then."""
    server = Server(tmp_path_factory.mktemp("fragile"))
    yield server
    server.stop()


@pytest.fixture
def own_site(fragile_site: Server) -> Server:
    """A running site that a test may stop."""
    if not fragile_site.is_running:
        fragile_site.start()
    return fragile_site


@dataclass
class FarSite:
    """A site whose network we made, and the cable that leads there."""

    server: Server
    relay: Relay

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return self.relay.url


@pytest.fixture(scope="package")
def far_site(tmp_path_factory: pytest.TempPathFactory, truth: Truth) -> Iterator[FarSite]:
    """Lend a site in the network of truth, where addresses say how their hosts answer."""
    server = Server(tmp_path_factory.mktemp("far"), truth.popen)
    server.start()
    relay = Relay(server.port, truth.inside)
    yield FarSite(server, relay)
    relay.cut()
    server.stop()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Lend people: each has a browser window of their own; at the end none may have had anything to complain about."""
    visitors: list[Visitor] = []

    def arrive(site: Server | FarSite | Relay, **options: Any) -> Visitor:
        options = {"locale": "en-US", "viewport": {"width": 1024, "height": 900}} | options
        visitors.append(Visitor(browser.new_context(**options), site.url))
        return visitors[-1]

    yield arrive
    for visitor in visitors:
        if visitor.context.pages and visitor.page.url.startswith("http"):
            visitor.check_nothing_complained()
        visitor.context.close()
