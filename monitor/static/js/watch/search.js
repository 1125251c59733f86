/** The filter as a form: text, states as chips that count, tags; kept in the page's address. */

import { make, setText } from "../element.js";
import { ALL, fromSearch, toSearch } from "./filter.js";
import { MARKS, STATES } from "./states.js";

export class Search {
  /** `onchange(filter)` follows what a person asks for; `leave()` is called by the key that leads to the rows. */
  constructor(form, words, { onchange, leave }) {
    Object.assign(this, { form, words, onchange, leave, filter: fromSearch(location.search) });
    [this.query, this.tag] = ["#query", "#tag"].map((field) => form.querySelector(field));
    this.chips = STATES.map((tone) => this.#makeChip(tone));
    form.querySelector(".chips").append(...this.chips);
    this.query.value = this.filter.query;
    this.tag.value = this.filter.tag;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => this.#read());
    this.query.addEventListener("keydown", (event) => this.#press(event));
  }

  /** Want every host again. */
  clear() {
    this.#mark(ALL.tone);
    this.query.value = this.tag.value = "";
    this.#choose(ALL);
  }

  /** Write into the chips how many hosts there are of each state. */
  count(counts) {
    for (const chip of this.chips) {
      const number = counts[chip.dataset.tone] ?? 0;
      setText(chip.querySelector(".count"), String(number));
      chip.hidden = !number && !chip.firstChild.checked;
    }
  }

  /** Offer these tags. */
  offer(tags) {
    const known = [...this.tag.options].slice(1).map(({ value }) => value);
    if (tags.join("\n") === known.join("\n")) return;
    this.tag.replaceChildren(this.tag.options[0], ...tags.map((tag) => make("option", "", tag)));
    this.tag.value = tags.includes(this.filter.tag) ? this.filter.tag : "";
    this.tag.hidden = !tags.length;
  }

  #makeChip(tone) {
    const label = make("label", "chip");
    const input = make("input");
    Object.assign(input, { type: "checkbox", name: "state", value: tone, checked: this.filter.tone === tone });
    const mark = make("span", "mark", MARKS[tone]);
    mark.setAttribute("aria-hidden", "true");
    label.append(input, mark, ` ${this.words.say(`state_${tone}`)} `, make("span", "count"));
    label.dataset.tone = tone;
    label.hidden = true; // until they are counted
    return label;
  }

  #mark(tone) {
    for (const { firstChild: input } of this.chips) input.checked = input.value === tone;
  }

  // One state at a time: who checks another one means that instead.
  #read() {
    const chosen = this.chips.map(({ firstChild }) => firstChild).filter(({ checked }) => checked).map(({ value }) => value);
    const tone = chosen.find((each) => each !== this.filter.tone) ?? chosen[0] ?? "";
    this.#mark(tone);
    this.#choose({ query: this.query.value.trim(), tone, tag: this.tag.value });
  }

  #choose(filter) {
    this.filter = filter;
    history.replaceState(null, "", location.pathname + toSearch(filter));
    this.onchange(filter);
  }

  #press(event) {
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    this.leave();
  }
}
