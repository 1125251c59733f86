/** The chart as a table, for whoever reads better than looks; filled only while it is open. */

import { make } from "./element.js";
import { milliseconds } from "./figures.js";
import { markOf } from "./verdict.js";

export class Table {
  constructor(details, words) {
    Object.assign(this, { details, words, body: details.querySelector("tbody"), lines: [] });
    details.addEventListener("toggle", () => this.#fill());
  }

  show({ lines }) {
    if (lines === this.lines) return;
    this.lines = lines;
    this.#fill();
  }

  #fill() {
    if (this.details.open) this.body.replaceChildren(...this.lines.map((line) => this.#row(line)));
  }

  #row({ data1, rtt_ms, status }) {
    const row = make("tr");
    const number = make("th", "number", String(data1 + 1));
    number.scope = "row";
    const result = `${markOf(status)} ${this.words.say(`status_${status}`)}`;
    row.append(number, make("td", "", result), make("td", "number", milliseconds(status === "reply" ? rtt_ms : null)));
    return row;
  }
}
