/** Which stretch of time is shown, and the ways to another: tabs, buttons, keys, a date, and the browser's way back. */

import { between, fromSearch, limitsOf, shift, toSearch, zoom } from "./view.js";

const KEYS = { "+": "closer", "=": "closer", "-": "farther", "[": "earlier", "]": "later" };
const WAYS = {
  earlier: (view, now) => shift(view, -0.5, now),
  later: (view, now) => shift(view, 0.5, now),
  closer: (view, now) => zoom(view, 0.5, now),
  farther: (view, now) => zoom(view, 2, now),
};

const find = (selector) => document.querySelector(selector);
const tabs = () => document.querySelectorAll("[data-range]");

export class Travel {
  /** `onchange()` is called whenever `view` is another one. */
  constructor(onchange) {
    Object.assign(this, { onchange, view: fromSearch(location.search), base: location.pathname });
  }

  start() {
    for (const tab of tabs()) tab.addEventListener("click", (event) => this.#choose(event));
    for (const button of document.querySelectorAll("[data-travel]")) {
      button.addEventListener("click", () => this.#take(button.dataset.travel));
    }
    find("#smoke").addEventListener("keydown", (event) => this.#press(event));
    find("#jump").addEventListener("change", (event) => this.#jump(new Date(event.target.value).getTime()));
    addEventListener("popstate", () => this.#show(fromSearch(location.search)));
    this.#mark();
  }

  /** {since, until} of what is shown, in ms since 1970. */
  get limits() {
    return limitsOf(this.view, Date.now());
  }

  /** Show the stretch between two moments. */
  select(one, other) {
    this.#go(between(one, other, Date.now()));
  }

  /** Show what fingers have in view; as long as before, it may follow the time again. */
  drag(before, after) {
    const [length, now] = [before.until - before.since, after.until - after.since];
    if (Math.abs(now - length) > 1) return this.select(after.since, after.until);
    this.#go(shift(this.view, (after.since - before.since) / length, Date.now()));
  }

  /** Back from a closer look; returns whether there was one. */
  leave() {
    if (this.view.range) return false;
    this.#go({ range: "1h" });
    return true;
  }

  #choose(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.#go({ range: event.currentTarget.dataset.range });
  }

  #press(event) {
    const way = KEYS[event.key];
    if (!way || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.#take(way);
  }

  #take(way) {
    this.#go(WAYS[way](this.view, Date.now()));
  }

  #jump(moment) {
    if (!Number.isFinite(moment)) return;
    const { since, until } = this.limits;
    this.select(moment - (until - since) / 2, moment + (until - since) / 2);
  }

  #go(view) {
    history.pushState(null, "", this.base + toSearch(view));
    this.#show(view);
  }

  #show(view) {
    this.view = view;
    this.#mark();
    this.onchange();
  }

  #mark() {
    for (const tab of tabs()) {
      if (tab.dataset.range === this.view.range) tab.setAttribute("aria-current", "true");
      else tab.removeAttribute("aria-current");
    }
  }
}
