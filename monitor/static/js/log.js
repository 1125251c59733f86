/** The lines of a run as a list, numbered by us; it only ever grows until another run begins. */

import { make } from "./element.js";
import { markOf } from "./verdict.js";

export class Log {
  constructor(list, words) {
    Object.assign(this, { list, words, run: undefined, shown: 0 });
  }

  show({ run, lines, gaps, outcome }) {
    if (run !== this.run || lines.length < this.shown) this.#clear(run);
    const following = this.#isAtEnd();
    const fresh = lines.slice(this.shown).map((line) => this.#item(line, gaps));
    if (fresh.length) this.list.append(...fresh.flat());
    this.shown = lines.length;
    this.list.setAttribute("aria-busy", String(outcome === "running"));
    if (following && fresh.length) this.list.scrollTop = this.list.scrollHeight;
  }

  #clear(run) {
    this.list.replaceChildren();
    Object.assign(this, { run, shown: 0 });
  }

  // Whoever scrolled up to read must not be pulled down by the next line.
  #isAtEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.list;
    return scrollHeight - scrollTop - clientHeight < 24;
  }

  #item({ data1, data, status }, gaps) {
    const gap = gaps.find(({ from, to }) => from <= data1 && data1 <= to);
    const item = make("li", gap ? "line missed" : "line");
    item.dataset.status = status;
    item.append(make("span", "number", String(data1 + 1)), make("span", "raw", data));
    if (status !== "reply") item.append(make("span", "what", `${markOf(status)} ${this.words.say(`status_${status}`)}`));
    return gap?.from === data1 ? [this.#heading(), item] : [item];
  }

  #heading() {
    return make("li", "gap", this.words.say("missed"));
  }
}
