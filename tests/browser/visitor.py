"""A person with a browser: what they do on the page, and what they would notice there."""

import json
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, expect

# A busy machine may take its time; what matters is that it happens.
PATIENCE = 20_000
expect.set_options(timeout=PATIENCE)

# Every change of the list of lines, with the time of the page's own clock.
WATCH_LINES = """
window.seen = [];
addEventListener("DOMContentLoaded", () => {
  const list = document.querySelector("#demo");
  if (!list) return;
  const look = () => window.seen.push([list.querySelectorAll(".line").length, performance.now()]);
  new MutationObserver(look).observe(list, { childList: true });
});
window.violations = [];
addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
"""

# The browser reports a server that is away, and a page that is missing, as errors of the network.
EXPECTED = ("ERR_CONNECTION", "Error in connection establishment", "status of 40", "WebSocket is closed")


@dataclass
class Visitor:
    """One tab at one address of the site."""

    context: BrowserContext
    url: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.add_init_script(WATCH_LINES)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(known in message.text for known in EXPECTED):
            self.complaints.append(message.text)

    def open(self, path: str = "/home") -> "Visitor":
        """Go to a page of the site."""
        self.page.goto(self.url + path)
        return self

    def come_home(self) -> "Visitor":
        """Open the home page and wait for its connection."""
        self.open()
        expect(self.header).to_have_attribute("data-tone", "up")
        return self

    def ask(self, host: str | None = None, **options: str | int | float) -> None:
        """Fill in the form and press Submit."""
        if host is not None:
            self.page.fill("#host", host)
        if options:
            self.page.eval_on_selector("#options", "details => { details.open = true; }")
        for name, value in options.items():
            self.page.fill(f"#{name}", str(value))
        self.button.click()

    def wait_for_lines(self, number: int) -> None:
        """Wait until there are so many lines, or more."""
        expect(self.lines.nth(number - 1)).to_be_attached()

    def wait_for_end(self) -> None:
        """Wait until the run is over and the button is a button again."""
        expect(self.page.locator("#summary")).to_be_visible()
        expect(self.button).to_be_enabled()

    def find(self, selector: str) -> Locator:
        """What is on the page."""
        return self.page.locator(selector)

    @property
    def header(self) -> Locator:
        """The state of the connection."""
        return self.page.locator("#header")

    @property
    def button(self) -> Locator:
        """The Submit button."""
        return self.page.locator("#checkbutton")

    @property
    def verdict(self) -> Locator:
        """The sentence over the results."""
        return self.page.locator("#verdict")

    @property
    def lines(self) -> Locator:
        """The results, a line each."""
        return self.page.locator("#demo .line")

    @property
    def words(self) -> dict[str, str]:
        """The sentences that came with the page."""
        return json.loads(self.page.locator("#words").text_content() or "")

    def spill(self) -> int:
        """By how many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))

    def check_nothing_complained(self) -> None:
        """No error in the console, no violation of the content security policy."""
        violations: list[Any] = self.page.evaluate("window.violations")
        assert not [*self.complaints, *violations]
