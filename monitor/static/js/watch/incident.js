/** The page of an incident: the packets around it as a chart, and what is new while it goes on. */

import { setText } from "../element.js";
import { Words } from "../words.js";
import { keepFresh } from "./fresh.js";
import { sayPoint } from "./point.js";
import { Smoke } from "./smoke.js";

const MARGIN = 300_000; // what is shown behind its end, as on the server
const DENSITY = 2; // columns for each pixel
const PERIOD = 10_000;
const MOST = 1500;

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const find = (selector) => document.querySelector(selector);

class Around {
  constructor(config, words) {
    Object.assign(this, { config, words, shown: null });
    this.smoke = new Smoke(find("#smoke"), {
      language: words.language,
      began: () => config.since,
      onpoint: (place) => this.#point(place),
      onselect: () => {},
      ondrag: () => this.#draw(),
    });
  }

  async load() {
    const buckets = Math.min(MOST, Math.round(DENSITY * find("#smoke").clientWidth));
    const response = await fetch(`${this.config.series}?buckets=${buckets}`, { credentials: "same-origin" }).catch(() => null);
    if (!response?.ok) return;
    const { width_ms: width, source, ...columns } = await response.json();
    this.shown = { columns, width, source };
    this.#draw();
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

const config = read("config");
const words = new Words(read("words"), document.documentElement.lang);
const around = find("#smoke") && new Around(config, words);
around?.load();
const lasts = () => find("#fresh").dataset.open === "yes" || Date.now() < config.until + MARGIN;
keepFresh(words, { lasts });
if (around && config.open) setInterval(() => !document.hidden && lasts() && around.load(), PERIOD);
