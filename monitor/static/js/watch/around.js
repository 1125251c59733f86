/** A chart of a stretch of time that stays the same: the packets around an incident, or what rules would have found. */

import { setText } from "../element.js";
import { sayPoint } from "./point.js";
import { Smoke } from "./smoke.js";

const DENSITY = 2; // columns for each pixel
const MOST = 1500;

const find = (selector) => document.querySelector(selector);

export class Around {
  /** `config` has the path of the columns, `since` and `until` (ms since 1970) and incidents; `open`: until now. */
  constructor(config, words) {
    Object.assign(this, { config, words, shown: null });
    this.smoke = new Smoke(find("#smoke"), {
      language: words.language,
      began: () => this.#began,
      onpoint: (place) => this.#point(place),
      onselect: () => {},
      ondrag: () => this.#draw(),
    });
  }

  /** Fetch the columns, and draw them. */
  async load() {
    const buckets = Math.min(MOST, Math.round(DENSITY * find("#smoke").clientWidth));
    const path = new URL(this.config.series, location.href);
    path.searchParams.set("buckets", buckets);
    const response = await fetch(path, { credentials: "same-origin" }).catch(() => null);
    if (!response?.ok) return;
    const { width_ms: width, source, ...columns } = await response.json();
    this.shown = { columns, width, source };
    this.#draw();
  }

  // What is older than the oldest data is no gap.
  get #began() {
    const { t, sent } = this.shown.columns;
    return t[sent.findIndex((number) => number !== null)] ?? Infinity;
  }

  #draw() {
    const { since, open } = this.config;
    const until = open ? Date.now() : Math.min(this.config.until, Date.now());
    if (this.shown) this.smoke.show({ ...this.shown, since, until, incidents: this.config.incidents }, false);
  }

  #point(place) {
    setText(find("#readout"), place !== null && this.shown ? sayPoint(this.shown, place, this.words) : "");
  }
}
