/** The board: every watched host, live. */

import { make, setText } from "../element.js";
import { Words } from "../words.js";
import { fits, fromSearch, toSearch } from "./filter.js";
import { Hosts } from "./hosts.js";
import { Rows } from "./rows.js";
import { MARKS, STATES, summarize } from "./states.js";
import { Station } from "./station.js";

const REFRESH = 60_000; // the strips and medians of the last hour change with each minute
const MANY = 200; // so many hosts are painted once a second; fewer as soon as they are told of
const AGAIN = 3_000; // after a fetch that failed

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const find = (selector) => document.querySelector(selector);

class Board {
  constructor(config, words) {
    Object.assign(this, { config, words, hosts: new Hosts(), waiting: null, title: document.title });
    this.filter = fromSearch(location.search);
    this.panel = find("#board");
    this.rows = new Rows(this.panel, words);
    this.station = new Station({
      config,
      words,
      field: find("#query"),
      stop: () => this.#showAll(),
      wish: () => ({ hosts: "all", lines: null, faster: false }),
      onmessage: (message) => this.#hear(message),
      onsubscribed: () => this.#fetch(),
      stale: (stale) => this.panel.classList.toggle("stale", stale),
    });
  }

  start() {
    this.#makeChips();
    const form = find("#filter");
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => this.#read(form));
    form.addEventListener("keydown", (event) => this.#enterRows(event));
    find("#nobody button").addEventListener("click", () => this.#showAll());
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
    this.hosts.replace(whole);
    for (const message of kept) this.hosts.apply(message);
    this.#show();
  }

  #show(asked = false) {
    this.rows.show(this.hosts.byId, (host) => fits(host, this.filter), Date.now(), asked);
    this.#tick();
    this.#showTags();
    const none = !this.hosts.all.some((host) => fits(host, this.filter));
    find("#nobody").hidden = !none;
  }

  #tick() {
    if (!this.rows.hosts || document.hidden) return;
    this.rows.arrange(Date.now());
    this.rows.paint(this.rows.seen, Date.now());
    const { all } = this.hosts;
    const { key, values } = summarize(all);
    setText(find("#sentence"), this.words.say(key, values));
    document.title = `${values.number ? `(${values.n}) ` : ""}${this.title}`;
    this.#countChips(all);
  }

  #makeChips() {
    const chips = STATES.map((tone) => {
      const label = make("label", "chip");
      const input = make("input");
      Object.assign(input, { type: "checkbox", name: "state", value: tone, checked: this.filter.tone === tone });
      const mark = make("span", "mark", MARKS[tone]);
      mark.setAttribute("aria-hidden", "true");
      label.append(input, mark, ` ${this.words.say(`state_${tone}`)} `, make("span", "count"));
      label.dataset.tone = tone;
      label.hidden = true; // until they are counted
      return label;
    });
    find(".chips").append(...chips);
    find("#query").value = this.filter.query;
    find("#tag").value = this.filter.tag;
  }

  #countChips(all) {
    for (const chip of document.querySelectorAll(".chip")) {
      const count = all.filter(({ tone }) => tone === chip.dataset.tone).length;
      setText(chip.querySelector(".count"), String(count));
      chip.hidden = !count && !chip.firstChild.checked;
    }
  }

  #showTags() {
    const tags = [...new Set(this.hosts.all.flatMap(({ tags: own }) => own))].sort();
    const select = find("#tag");
    const known = [...select.options].slice(1).map(({ value }) => value);
    if (tags.join("\n") === known.join("\n")) return;
    const { value } = select;
    select.replaceChildren(select.options[0], ...tags.map((tag) => make("option", "", tag)));
    select.value = tags.includes(value) ? value : "";
    select.hidden = !tags.length;
  }

  #read(form) {
    const chosen = [...form.querySelectorAll(".chip input:checked")].map(({ value }) => value);
    const tone = chosen.find((each) => each !== this.filter.tone) ?? chosen[0] ?? "";
    for (const chip of form.querySelectorAll(".chip input")) chip.checked = chip.value === tone;
    this.#choose({ query: find("#query").value.trim(), tone, tag: find("#tag").value });
  }

  #choose(filter) {
    this.filter = filter;
    history.replaceState(null, "", location.pathname + toSearch(filter));
    this.#show(true);
    const n = this.hosts.all.filter((host) => fits(host, filter)).length;
    setText(find("#announce"), this.words.say("shown", { n, number: this.hosts.all.length }));
  }

  #showAll() {
    const form = find("#filter");
    form.reset();
    for (const chip of form.querySelectorAll(".chip input")) chip.checked = false;
    find("#query").value = find("#tag").value = "";
    this.#choose({ query: "", tone: "", tag: "" });
    return true;
  }

  #enterRows(event) {
    if (event.key !== "ArrowDown" || event.target.id !== "query") return;
    event.preventDefault();
    this.panel.querySelector(".row:not([hidden]) a")?.focus();
  }
}

new Board(read("config"), new Words(read("words"), document.documentElement.lang)).start();
