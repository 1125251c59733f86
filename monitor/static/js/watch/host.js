/** The page of a host: what it is now, its lines as they come, and its history. */

import { setText } from "../element.js";
import { dateAndTime, milliseconds, NONE } from "../figures.js";
import { Words } from "../words.js";
import { Bell } from "./bell.js";
import { showIcon } from "./icon.js";
import { sayVerdict, sayWaiting } from "./judgement.js";
import { Ledger } from "./ledger.js";
import { Past } from "./past.js";
import { Replies, showNow } from "./replies.js";
import { MARKS, readRow } from "./states.js";
import { Station } from "./station.js";
import { Travel } from "./travel.js";

const JUST_COME = 2_000;

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const find = (selector) => document.querySelector(selector);

class HostPage {
  constructor({ socket, host }, words) {
    const { state, created } = find("#verdict").dataset;
    this.words = words;
    this.host = { ...host, state, tone: state, last: null, loss5: null };
    this.replies = new Replies(find("#replies"), words);
    this.travel = new Travel(() => this.past.change());
    this.past = new Past(words, this.travel, { interval: host.interval, created: Number(created) * 1000 });
    this.bell = new Bell(find("#bell"), words);
    this.ledger = new Ledger(words);
    this.station = new Station({
      config: { socket },
      words,
      stop: () => this.travel.leave(),
      wish: () => ({ hosts: [host.id], lines: host.id, faster: find("#faster").checked, incidents: true }),
      onmessage: (message) => this.#hear(message),
      onsubscribed: () => this.#goOn(),
      onincidents: (hosts) => hosts.includes(host.id) && this.ledger.change(),
      stale: (stale) => this.#age(stale),
      newest: () => this.past.newest,
    });
  }

  start() {
    for (const time of document.querySelectorAll("main time")) {
      setText(time, dateAndTime(new Date(time.dateTime), this.words.language));
    }
    find("#faster").addEventListener("change", () => this.station.subscribe());
    setInterval(() => this.#tick(), 1000);
    this.#showVerdict();
    this.travel.start();
    this.past.start();
    this.station.start();
  }

  // Incidents may have begun and ended unheard while there was no connection, save where the page has just come.
  #goOn() {
    this.past.restart();
    if (performance.now() > JUST_COME) this.ledger.change();
  }

  #hear(message) {
    if (message.event === "line") return this.#hearLine(message);
    for (const row of message.rows) if (row[0] === this.host.id) this.#takeRow(row, message.at);
  }

  #takeRow(row, at) {
    Object.assign(this.host, readRow(row, at, this.host));
    const { last, jitter } = this.host;
    this.bell.look([this.host]);
    if (typeof last === "number") this.host.problem = "";
    setText(find("#jitter"), jitter === null ? NONE : `${milliseconds(jitter / 1000)} ms`);
    this.#showVerdict();
  }

  #hearLine(line) {
    if (line.host !== this.host.id) return;
    this.replies.add(line);
    showNow(find("#now"), line, this.words);
    this.past.add(line);
  }

  #age(stale) {
    this.stale = stale;
    find("#history").classList.toggle("stale", stale);
    if (stale) showIcon("stale");
  }

  #tick() {
    if (document.hidden) return;
    this.#showVerdict();
    this.ledger.tick(Date.now());
    this.past.tick(this.station.link.phase === "open");
  }

  #showVerdict() {
    const verdict = find("#verdict");
    const { tone } = this.host;
    verdict.dataset.tone = tone;
    setText(verdict.querySelector(".mark"), MARKS[tone]);
    const sentence = sayVerdict(this.host, Date.now(), this.words);
    if (verdict.dataset.said && verdict.dataset.said !== tone) setText(find("#announce"), sentence);
    verdict.dataset.said = tone;
    setText(verdict.querySelector(".words"), sentence);
    find("#replies").dataset.empty = sayWaiting(this.host, this.words);
    showIcon(this.stale ? "stale" : tone);
    document.title = `${MARKS[tone]} ${this.host.name} · pingsite`;
  }
}

new HostPage(read("config"), new Words(read("words"), document.documentElement.lang)).start();
