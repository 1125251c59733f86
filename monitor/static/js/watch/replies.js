/** The raw lines of a host in the order sent, as they come; bounded, and still while somebody reads further up. */

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
    // What was lost is known only after those behind it.
    const before = [...list.children].findLast(({ dataset }) => Number(dataset.sent) <= line.t);
    if (before) before.after(this.#item(line));
    else list.prepend(this.#item(line));
    while (following && list.childElementCount > MOST) list.firstElementChild.remove();
    if (following) list.scrollTop = list.scrollHeight;
  }

  #item({ t, us, status, ttl, source, bytes }) {
    const item = make("li", "line");
    Object.assign(item.dataset, { status, sent: t });
    const from = source ? `from ${source}${ttl ? `: ttl=${ttl}` : ""}` : "";
    const text = typeof us === "number" ? `${bytes} bytes ${from} time=${milliseconds(us / 1000)} ms` : from;
    item.append(make("span", "number", clock(new Date(t), this.words.language)));
    if (status !== "reply") item.append(make("span", "what", `${markOf(status)} ${this.words.say(`status_${status}`)}`));
    if (text) item.append(make("span", "raw", text));
    return item;
  }
}

/** Say the round trip of a line where "now" stands. */
export function showNow(element, { us, status }, words) {
  element.classList.toggle("reason", typeof us !== "number");
  setText(element, typeof us === "number" ? `${milliseconds(us / 1000)} ms` : words.say(`status_${status}`));
}
