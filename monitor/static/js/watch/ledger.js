/** The last incidents of a host, fetched again when the socket says that they are others. */

import { goOn, localize } from "./moments.js";
import { fetchPage, replacePart } from "./part.js";

const PART = "incidents";
const SPREAD = 1_000; // many pages are told at once
const AGAIN = 10_000; // after a failure, or where somebody was at that part

export class Ledger {
  constructor(words) {
    this.words = words;
    this.due = this.looking = false;
    this.timer = null;
    document.addEventListener("visibilitychange", () => this.due && this.#lookSoon());
  }

  /** They are others than they were, or may be. */
  change() {
    this.due = true;
    this.#lookSoon();
  }

  /** Go on with how long the open one lasts, at `now` (ms since 1970). */
  tick(now) {
    goOn(document.getElementById(PART), this.words, now);
  }

  #lookSoon(wait = SPREAD * Math.random()) {
    if (!document.hidden && !this.looking) this.timer ??= setTimeout(() => this.#look(), wait);
  }

  // One at a time: an older page must not come after a newer one.
  async #look() {
    this.timer = null;
    this.due = false;
    this.looking = true;
    const page = await fetchPage();
    this.looking = false;
    const shown = page !== null && replacePart(PART, page);
    if (!shown) this.due = true;
    localize(document.getElementById(PART), this.words.language);
    this.tick(Date.now());
    if (this.due) this.#lookSoon(shown ? undefined : AGAIN);
  }
}
