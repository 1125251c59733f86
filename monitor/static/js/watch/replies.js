/** The raw lines of a host, as they come; bounded, and still while somebody reads further up. */

import { make, setText } from "../element.js";
import { clock, milliseconds } from "../figures.js";
import { markOf } from "../verdict.js";

const MOST = 300;

export class Replies {
  constructor(list, words) {
    Object.assign(this, { list, words });
  }

  add(line) {
    const { list } = this;
    const following = list.scrollHeight - list.scrollTop - list.clientHeight < 24;
    list.append(this.#item(line));
    while (following && list.childElementCount > MOST) list.firstElementChild.remove();
    if (following) list.scrollTop = list.scrollHeight;
  }

  #item({ t, us, status, ttl, source, bytes }) {
    const item = make("li", "line");
    item.dataset.status = status;
    const from = source ? `${bytes ?? "?"} bytes from ${source}${ttl ? `: ttl=${ttl}` : ""}` : "";
    const text = typeof us === "number" ? `${from} time=${milliseconds(us / 1000)} ms` : from;
    item.append(make("span", "number", clock(new Date(t), this.words.language)), make("span", "raw", text));
    if (status !== "reply") item.append(make("span", "what", `${markOf(status)} ${this.words.say(`status_${status}`)}`));
    return item;
  }
}

/** Say the round trip of a line where "now" stands. */
export function showNow(element, { us, status }, words) {
  setText(element, typeof us === "number" ? `${milliseconds(us / 1000)} ms` : words.say(`status_${status}`));
}
