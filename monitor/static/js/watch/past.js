/** The history of a host in the page: chart, figures, table and files of the stretch of time that is shown. */

import { setText } from "../element.js";
import { isSingle, lastMeasured } from "./columns.js";
import { showDistribution } from "./distribution.js";
import { Echoes, join } from "./echoes.js";
import { fillTable, sayPoint } from "./point.js";
import { Smoke } from "./smoke.js";
import { saySpan } from "./spans.js";
import { sayStretch } from "./times.js";
import { refreshOf } from "./view.js";
import { showWeek, zoneHere } from "./week.js";

const FINEST = 1500; // columns that the server gives at most
const DENSITY = 2; // columns for each pixel, as far as that goes
const AGAIN = 4_000; // after a fetch that failed
const SOON = 6_000; // after the first fetch of a live chart, when what was on its way then is written
const LONG = 60_000; // between all others: it grows by itself
const QUIET = 3_500; // more than that between two echoes of a live chart is a gap, unless the interval is longer
const FRAME = 200; // between two drawings of it, when there is something new
const IDLE = 900; // and when only the time went on
const WEEKLY = 10 * 60_000;

const find = (selector) => document.querySelector(selector);

export class Past {
  /** `travel` says which stretch is shown; the host is asked every `interval` s, since `created` (ms since 1970). */
  constructor(words, travel, { interval, created }) {
    Object.assign(this, { words, travel, interval, created, base: location.pathname, series: null, shown: null, incidents: [] });
    Object.assign(this, { echoes: new Echoes(), turn: 0, drawnAt: 0, nextAt: 0, fresh: true, steady: false });
    this.smoke = new Smoke(find("#smoke"), {
      language: words.language,
      began: () => this.#began,
      onpoint: (place) => this.#point(place),
      onselect: (one, other) => travel.select(one, other),
      ondrag: (before, after) => travel.drag(before, after),
    });
    find("#table").addEventListener("toggle", () => this.#fillTable());
  }

  start() {
    setInterval(() => this.#loadWeek(), WEEKLY);
    this.#loadWeek();
    this.load();
  }

  /** When the last ping that is shown was due; null where there is none. */
  get newest() {
    const at = this.shown ? lastMeasured(this.shown.columns) : -Infinity;
    return at === -Infinity ? null : at;
  }

  /** Show another stretch. */
  change() {
    this.steady = false;
    this.load();
  }

  /** Begin anew, when the connection stands again: echoes may be missing. */
  restart() {
    this.echoes.clear();
    this.fresh = true;
    this.load();
  }

  /** Take an echo that was just told of. */
  add(line) {
    this.echoes.add(line);
    if (this.#live && this.series && Date.now() - this.drawnAt > FRAME) this.#draw();
  }

  /** Go on with the time, once a second; `connected` says whether fetching makes sense. */
  tick(connected) {
    if (this.#live && this.series && Date.now() - this.drawnAt > IDLE) this.#draw();
    if (this.travel.view.range && Date.now() > this.nextAt && connected) this.load();
  }

  /** Fetch what is shown, and show it. */
  async load() {
    const turn = ++this.turn;
    const { since, until } = this.travel.limits;
    const query = `?since=${Math.floor(since)}&until=${Math.ceil(until)}`;
    this.nextAt = Date.now() + AGAIN;
    const wanted = [`series.json${query}&buckets=${this.#buckets}`, `distribution.json${query}`, `incidents.json${query}`];
    const [series, spread, bad] = await Promise.all(wanted.map((path) => this.#fetch(path)));
    if (turn !== this.turn) return;
    if (!series) return setText(find("#resolution"), this.words.say("chart_failed"));
    const { width_ms: width, source, ...columns } = series;
    this.nextAt = Date.now() + (this.#live ? (this.fresh ? SOON : LONG) : refreshOf(width));
    this.fresh = false;
    this.series = { columns, width, source };
    if (bad) this.incidents = [...bad.maintenance.map((span) => ({ ...span, state: "maintenance" })), ...bad.incidents];
    this.#link(query);
    if (spread) showDistribution(spread, this.words);
    this.#draw();
    this.#fillTable();
  }

  get #live() {
    return this.travel.view.range === "live";
  }

  get #buckets() {
    return this.#live ? FINEST : Math.min(FINEST, Math.round(DENSITY * find("#smoke").clientWidth));
  }

  // What is older than the host on this page, or than its oldest data, is no gap.
  get #began() {
    const { t, sent } = this.shown.columns;
    const first = t[sent.findIndex((number) => number !== null)] ?? Infinity;
    return Math.min(this.created, first);
  }

  async #fetch(path) {
    try {
      const response = await fetch(this.base + path, { credentials: "same-origin" });
      return response.ok ? await response.json() : null;
    } catch {
      return null;
    }
  }

  async #loadWeek() {
    const week = await this.#fetch(`week.json?weeks=4&zone=${encodeURIComponent(zoneHere())}`);
    if (week) showWeek(find("#hours"), week, this.words);
  }

  #draw() {
    const { since, until } = this.travel.limits;
    const { columns: fetched, width, source } = this.series;
    const lines = this.#live ? this.echoes.lines : [];
    const columns = join(fetched, lines, { since, width, quiet: Math.max(QUIET, 2500 * this.interval) });
    this.drawnAt = Date.now();
    this.shown = { columns, width, source };
    this.smoke.show({ columns, width, since, until, incidents: this.incidents }, this.steady);
    this.steady = true;
    setText(find("#period"), sayStretch(since, until, this.words.language));
    setText(find("#resolution"), this.#sayResolution());
    find("#legend-clipped").hidden = !this.smoke.clips;
  }

  #sayResolution() {
    const { columns, width, source } = this.shown;
    if (this.newest === null) return `· ${this.words.say("chart_empty")}`;
    const span = saySpan(width, this.words);
    const each = this.words.say(isSingle(columns) ? "each_ping" : "each_point", { span });
    return `· ${each}${source === "packets" ? "" : ` ${this.words.say(`source_${source}`)}`}`;
  }

  #link(query) {
    const fine = `${query}&buckets=${FINEST}`;
    const links = { csv: `series.csv${fine}`, json: `series.json${fine}`, packets: `packets.csv${query}` };
    for (const [id, path] of Object.entries(links)) find(`#${id}`).href = this.base + path;
  }

  #point(place) {
    const there = place !== null && this.shown && place < this.shown.columns.t.length;
    setText(find("#readout"), there ? sayPoint(this.shown, place, this.words) : "");
  }

  #fillTable() {
    const details = find("#table");
    if (details.open && this.shown) fillTable(details.querySelector("tbody"), this.shown, this.words);
  }
}
