/** The page of a host: what it is now, and its history from five minutes to years. */

import { make, setText } from "../element.js";
import { dateAndTime, milliseconds, NONE } from "../figures.js";
import { Words } from "../words.js";
import { append, lastMeasured } from "./columns.js";
import { showDistribution } from "./distribution.js";
import { sayVerdict } from "./judgement.js";
import { pointCells, sayPoint } from "./point.js";
import { Replies, showNow } from "./replies.js";
import { Smoke } from "./smoke.js";
import { saySpan } from "./spans.js";
import { MARKS, toneOf } from "./states.js";
import { Station } from "./station.js";
import { sayStretch } from "./times.js";
import { between, fromSearch, limitsOf, refreshOf, shift, toSearch, zoom } from "./view.js";
import { showWeek } from "./week.js";

const BUCKETS = 1500;
const AGAIN = 4_000;
const FRAME = 200; // between two drawings of a live chart
const WEEKLY = 10 * 60_000;

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const find = (selector) => document.querySelector(selector);

class HostPage {
  constructor(config, words) {
    const { state, created } = find("#verdict").dataset;
    Object.assign(this, { config, words, base: location.pathname, view: fromSearch(location.search) });
    this.host = { ...config.host, state, tone: state, last: null, loss5: null };
    Object.assign(this, { series: null, asked: 0, early: [], drawnAt: 0, nextAt: 0, steady: false });
    this.replies = new Replies(find("#replies"), words);
    this.smoke = new Smoke(find("#smoke"), {
      language: words.language,
      began: () => this.#beganAt(Number(created) * 1000),
      onpoint: (place) => this.#point(place),
      onselect: (one, other) => this.#go(between(one, other, Date.now())),
    });
    this.station = new Station({
      config,
      words,
      stop: () => this.#leaveZoom(),
      wish: () => ({ hosts: [config.host.id], lines: config.host.id, faster: find("#faster").checked }),
      onmessage: (message) => this.#hear(message),
      onsubscribed: () => this.#load(),
      stale: (stale) => find("#history").classList.toggle("stale", stale),
    });
  }

  start() {
    for (const time of document.querySelectorAll("main time")) {
      setText(time, dateAndTime(new Date(time.dateTime), this.words.language));
    }
    for (const tab of document.querySelectorAll("[data-range]")) tab.addEventListener("click", (event) => this.#chooseRange(event));
    for (const button of document.querySelectorAll("[data-travel]")) {
      button.addEventListener("click", () => this.#travel(button.dataset.travel));
    }
    find("#smoke").addEventListener("keydown", (event) => this.#press(event));
    find("#jump").addEventListener("change", (event) => this.#jump(new Date(event.target.value).getTime()));
    find("#table").addEventListener("toggle", () => this.#fillTable());
    find("#faster").addEventListener("change", () => this.station.subscribe());
    addEventListener("popstate", () => this.#show(fromSearch(location.search)));
    setInterval(() => this.#tick(), 1000);
    setInterval(() => this.#loadWeek(), WEEKLY);
    this.#mark();
    this.#load();
    this.#loadWeek();
    this.station.start();
  }

  // What is older than the host on this page, or than its oldest data, is no gap.
  #beganAt(created) {
    const { t, sent } = this.series.columns;
    const first = t[sent.findIndex((number) => number !== null)] ?? Infinity;
    return Math.min(created, first);
  }

  #hear(message) {
    if (message.event === "line") return this.#hearLine(message);
    for (const row of message.rows) if (row[0] === this.host.id) this.#takeRow(row, message.at);
  }

  #takeRow([, state, last, loss5, jitter], at) {
    const since = state === this.host.state ? this.host.since : at;
    Object.assign(this.host, { state, last, loss5, since, tone: toneOf(state, loss5) });
    if (typeof last === "number") this.host.problem = "";
    setText(find("#jitter"), jitter === null ? NONE : `${milliseconds(jitter / 1000)} ms`);
    this.#showVerdict();
  }

  #hearLine(line) {
    if (line.host !== this.host.id) return;
    this.replies.add(line);
    showNow(find("#now"), line, this.words);
    if (this.view.range !== "live") return;
    if (this.series) this.#append(line);
    else this.early.push(line);
  }

  #append(line) {
    const { since } = limitsOf(this.view, Date.now());
    this.series.columns = append(this.series.columns, line, since);
    if (Date.now() - this.drawnAt > FRAME) this.#draw();
  }

  #showVerdict() {
    const verdict = find("#verdict");
    const { tone } = this.host;
    verdict.dataset.tone = tone;
    setText(verdict.querySelector(".mark"), MARKS[tone]);
    const sentence = sayVerdict(this.host, Date.now(), this.words);
    if (verdict.dataset.said !== tone) setText(find("#announce"), sentence);
    verdict.dataset.said = tone;
    setText(verdict.querySelector(".words"), sentence);
    document.title = `${MARKS[tone]} ${this.host.name} · pingsite`;
  }

  #tick() {
    if (document.hidden) return;
    if (this.host.last !== null) this.#showVerdict();
    if (this.view.range === "live" && this.series && Date.now() - this.drawnAt > 900) this.#draw();
    if (this.view.range && Date.now() > this.nextAt && this.station.link.phase === "open") this.#load();
  }

  // Views

  #chooseRange(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.#go({ range: event.currentTarget.dataset.range });
  }

  #press(event) {
    const way = { "+": "closer", "=": "closer", "-": "farther", "[": "earlier", "]": "later" }[event.key];
    if (!way || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.#travel(way);
  }

  #travel(way) {
    const now = Date.now();
    const ways = {
      earlier: () => shift(this.view, -0.5, now),
      later: () => shift(this.view, 0.5, now),
      closer: () => zoom(this.view, 0.5, now),
      farther: () => zoom(this.view, 2, now),
    };
    this.#go(ways[way]());
  }

  #jump(moment) {
    if (!Number.isFinite(moment)) return;
    const { since, until } = limitsOf(this.view, Date.now());
    this.#go(between(moment - (until - since) / 2, moment + (until - since) / 2, Date.now()));
  }

  #leaveZoom() {
    if (this.view.range) return false;
    this.#go({ range: "1h" });
    return true;
  }

  #go(view) {
    history.pushState(null, "", this.base + toSearch(view));
    this.#show(view);
  }

  #show(view) {
    this.view = view;
    this.steady = false;
    this.#mark();
    this.#load();
  }

  #mark() {
    for (const tab of document.querySelectorAll("[data-range]")) {
      if (tab.dataset.range === this.view.range) tab.setAttribute("aria-current", "true");
      else tab.removeAttribute("aria-current");
    }
  }

  // History

  async #load() {
    const turn = ++this.asked;
    const { since, until } = limitsOf(this.view, Date.now());
    const query = `?since=${Math.floor(since)}&until=${Math.ceil(until)}`;
    this.nextAt = Date.now() + AGAIN;
    const live = this.view.range === "live";
    if (live) this.early = [];
    const [series, spread] = await Promise.all(["series.json", "distribution.json"].map((name) => this.#fetch(name, query)));
    if (turn !== this.asked) return;
    if (!series) return setText(find("#resolution"), this.words.say("chart_failed"));
    const { width_ms: width, source, ...columns } = series;
    this.nextAt = Date.now() + (live ? 60_000 : refreshOf(width));
    this.series = { columns, width, source };
    for (const line of live ? this.early : []) this.series.columns = append(this.series.columns, line, since);
    this.#link(query);
    if (spread) showDistribution(spread, this.words);
    this.#draw();
    this.#fillTable();
  }

  async #fetch(name, query) {
    try {
      const response = await fetch(`${this.base}${name}${query}&buckets=${BUCKETS}`, { credentials: "same-origin" });
      return response.ok ? await response.json() : null;
    } catch {
      return null;
    }
  }

  async #loadWeek() {
    const week = await this.#fetch("week.json", "?weeks=4");
    if (week) showWeek(find("#week"), find("#cell"), week.days, this.words);
  }

  #draw() {
    const { columns, width, source } = this.series;
    const { since, until } = limitsOf(this.view, Date.now());
    this.drawnAt = Date.now();
    this.smoke.show({ columns, width, since, until }, this.steady);
    this.steady = true;
    setText(find("#period"), sayStretch(since, until, this.words.language));
    setText(find("#resolution"), this.#sayResolution(columns, width, source));
  }

  #sayResolution(columns, width, source) {
    const { words } = this;
    if (lastMeasured(columns) === -Infinity) return `· ${words.say("chart_empty")}`;
    const single = columns.sent.every((number) => number === null || number <= 1);
    const each = single ? words.say("each_ping") : words.say("each_point", { span: saySpan(width, words) });
    return `· ${each}${source === "packets" ? "" : ` ${words.say(`source_${source}`)}`}`;
  }

  #link(query) {
    const links = { csv: `series.csv${query}&buckets=${BUCKETS}`, json: `series.json${query}&buckets=${BUCKETS}`, packets: `packets.csv${query}` };
    for (const [id, path] of Object.entries(links)) find(`#${id}`).href = this.base + path;
  }

  #point(place) {
    const { series } = this;
    const there = place !== null && series && place < series.columns.t.length;
    setText(find("#readout"), there ? sayPoint(series, place, this.words) : "");
  }

  #fillTable() {
    const details = find("#table");
    if (!details.open || !this.series) return;
    const rows = this.series.columns.t.map((_, place) => place).filter((place) => this.series.columns.sent[place] !== null);
    details.querySelector("tbody").replaceChildren(...rows.reverse().map((place) => this.#row(place)));
  }

  #row(place) {
    const row = make("tr");
    const [time, ...cells] = pointCells(this.series, place, this.words);
    const head = make("th", "", time);
    head.scope = "row";
    row.append(head, ...cells.map((text, i) => make("td", i < cells.length - 1 ? "number" : "", text)));
    return row;
  }
}

new HostPage(read("config"), new Words(read("words"), document.documentElement.lang)).start();
