/** The last incidents of a host, fetched again when the socket says that they are others. */

import { goOn, localize } from "./moments.js";
import { Renewal, replacePart } from "./part.js";

const PART = "incidents";

export class Ledger {
  constructor(words) {
    this.words = words;
    this.renewal = new Renewal((page) => this.#show(page));
  }

  /** They are others than they were, or may be. */
  change() {
    this.renewal.ask();
  }

  /** Go on with how long the open one lasts, at `now` (ms since 1970). */
  tick(now) {
    goOn(document.getElementById(PART), this.words, now);
  }

  #show(page) {
    if (!page || !replacePart(PART, page)) return false;
    localize(document.getElementById(PART), this.words.language);
    this.tick(Date.now());
    return true;
  }
}
