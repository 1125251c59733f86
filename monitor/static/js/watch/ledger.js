/** The last incidents of a host, fetched again when the socket says that they are others. */

import { goOn, localize } from "./moments.js";
import { fetchPage, replacePart } from "./part.js";

const PART = "incidents";
const SPREAD = 1_000; // many pages are told at once

export class Ledger {
  constructor(words) {
    this.words = words;
    this.due = false;
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

  #lookSoon() {
    if (!document.hidden) this.timer ??= setTimeout(() => this.#look(), SPREAD * Math.random());
  }

  async #look() {
    this.timer = null;
    this.due = false;
    const page = await fetchPage();
    this.due ||= !page || !replacePart(PART, page);
    localize(document.getElementById(PART), this.words.language);
    this.tick(Date.now());
  }
}
