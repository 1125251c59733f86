/** The board: every watched host, live. */

import { setText } from "../element.js";
import { showOpen } from "../header.js";
import { Words } from "../words.js";
import { Bell } from "./bell.js";
import { fits } from "./filter.js";
import { Hosts } from "./hosts.js";
import { showIcon, worstOf } from "./icon.js";
import { Rows } from "./rows.js";
import { Search } from "./search.js";
import { countTones, summarize } from "./states.js";
import { Station } from "./station.js";

const REFRESH = 60_000; // the strips and medians of the last hour change with each minute
const MANY = 200; // so many hosts are painted once a second; fewer as soon as they are told of
const AGAIN = 3_000; // after a fetch that failed

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const find = (selector) => document.querySelector(selector);

class Board {
  constructor(config, words) {
    Object.assign(this, { config, words, hosts: new Hosts(), waiting: null, title: document.title });
    this.panel = find("#board");
    this.rows = new Rows(this.panel, words);
    this.search = new Search(find("#filter"), words, {
      onchange: () => this.#choose(),
      leave: () => this.panel.querySelector(".row a")?.focus(),
    });
    this.bell = new Bell(find("#bell"), words);
    this.station = new Station({
      config,
      words,
      field: find("#query"),
      stop: () => this.search.clear() ?? true,
      wish: () => ({ hosts: "all", lines: null, faster: false, incidents: true }),
      onmessage: (message) => this.#hear(message),
      onsubscribed: () => this.#fetch(),
      stale: (stale) => this.#age(stale),
      newest: () => this.hosts.at ?? (Number(find("#notice").dataset.at) || null),
    });
  }

  start() {
    find("#nobody button").addEventListener("click", () => this.search.clear());
    setInterval(() => this.#tick(), 1000);
    setInterval(() => this.#fetch(), REFRESH);
    this.station.start();
  }

  #hear(message) {
    if (message.event !== "hosts") return;
    if (this.waiting) this.waiting.push(message);
    else this.#apply(message);
  }

  #apply(message) {
    const { known, ids } = this.hosts.apply(message);
    this.bell.look(ids.map((id) => this.hosts.byId.get(id)));
    if (document.hidden) this.#follow();
    if (this.rows.hosts && this.hosts.byId.size < MANY) this.rows.paint(ids, message.at);
    if (!known || message.gone?.length) this.#fetch();
  }

  /** Fetch the whole board; ticks that come meanwhile are kept and applied behind it. */
  async #fetch() {
    if (this.waiting || this.station.link.phase !== "open") return;
    this.waiting = [];
    let whole = null;
    try {
      const response = await fetch(this.config.board, { credentials: "same-origin" });
      whole = response.ok ? await response.json() : null;
    } catch {
      // The connection's own notice says what is wrong.
    }
    const kept = this.waiting;
    this.waiting = null;
    if (!whole) return void setTimeout(() => this.#fetch(), AGAIN);
    showOpen(whole.open);
    this.hosts.replace(whole);
    for (const message of kept) this.hosts.apply(message);
    this.bell.look(this.hosts.all);
    this.#show();
  }

  #show(asked = false) {
    this.rows.show(this.hosts.byId, (host) => fits(host, this.search.filter), Date.now(), asked);
    this.#tick();
    this.search.offer([...new Set(this.hosts.all.flatMap(({ tags }) => tags))].sort());
    find("#nobody").hidden = this.rows.number > 0;
  }

  #tick() {
    if (!this.rows.hosts) return;
    const counts = this.#follow();
    if (document.hidden) return;
    this.rows.arrange(Date.now());
    this.rows.paint(this.rows.near, Date.now());
    const { key, values } = summarize(counts);
    setText(find("#sentence"), this.words.say(key, values));
    this.search.count(counts);
  }

  // Title and icon are seen while the page is not.
  #follow() {
    const counts = countTones(this.hosts.byId.values());
    const { values } = summarize(counts);
    document.title = `${values.number ? `(${values.n}) ` : ""}${this.title}`;
    showIcon(this.stale ? "stale" : worstOf(counts));
    return counts;
  }

  #age(stale) {
    this.stale = stale;
    this.panel.classList.toggle("stale", stale);
    if (stale) showIcon("stale");
  }

  #choose() {
    if (!this.rows.hosts) return;
    this.#show(true);
    const values = { n: this.rows.number, number: this.hosts.byId.size };
    setText(find("#announce"), this.words.say("shown", values));
  }
}

new Board(read("config"), new Words(read("words"), document.documentElement.lang)).start();
