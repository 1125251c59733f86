/** The rows in their groups: worst first, in an order that stays while somebody points at it. */

import { make, setText } from "../element.js";
import { makeRow, Row } from "./row.js";
import { compare } from "./states.js";

const SETTLE = 10_000; // between one order and the next

export class Rows {
  constructor(board, words) {
    Object.assign(this, { board, words, rows: new Map(), groups: new Map(), seen: new Set(), orderedAt: 0 });
    this.watcher = new IntersectionObserver((entries) => this.#see(entries), { rootMargin: "200px" });
    for (const element of board.querySelectorAll(".group")) this.groups.set(element.dataset.group, element);
    for (const element of board.querySelectorAll(".row")) this.#adopt(new Row(element, words));
    board.addEventListener("keydown", (event) => this.#step(event));
  }

  /** Show these hosts and no others, in a new order at once where a person asked for it; `now` is in ms since 1970. */
  show(hosts, fits, now, asked) {
    const first = !this.hosts;
    this.hosts = hosts;
    for (const id of this.rows.keys()) if (!hosts.has(id)) this.#drop(id);
    for (const host of hosts.values()) {
      if (!this.rows.has(host.id)) this.#adopt(makeRow(host, this.words));
      this.rows.get(host.id).element.hidden = !fits(host);
    }
    this.arrange(now, first || asked);
    this.#placeNew();
    this.paint(this.seen, now);
  }

  /** Write those of the rows that are on the screen. */
  paint(ids, now) {
    for (const id of ids) {
      const host = this.seen.has(id) && this.hosts.get(id);
      if (host) this.rows.get(id).show(host, now);
    }
  }

  /** Put the worst first, unless that was done a moment ago, or somebody is about to press one of them. */
  arrange(now, urgent = false) {
    if (!urgent && (now - this.orderedAt < SETTLE || this.board.matches(":hover, :focus-within"))) return;
    this.orderedAt = now;
    const focused = this.board.querySelector(":focus");
    const sorted = [...this.hosts.values()].sort(compare);
    const groups = Map.groupBy(sorted, ({ group }) => group);
    place(this.board, [...groups.keys()].map((name) => this.#groupOf(name)), this.board.querySelector("#nobody"));
    for (const [name, members] of groups) this.#fill(this.#groupOf(name), members);
    for (const [name, element] of this.groups) if (!groups.has(name)) this.#removeGroup(name, element);
    // An element that is moved loses the focus.
    focused?.focus({ preventScroll: true });
  }

  // Whoever came while somebody points at the rows stands last until they are put in order.
  #placeNew() {
    for (const { id, group } of this.hosts.values()) {
      const { element } = this.rows.get(id);
      if (element.isConnected) continue;
      const home = this.#groupOf(group);
      home.querySelector(".rows").append(element);
      if (!home.isConnected) this.board.querySelector("#nobody").before(home);
    }
  }

  #fill(element, members) {
    const rows = members.map(({ id }) => this.rows.get(id).element);
    place(element.querySelector(".rows"), rows, null);
    const shown = rows.filter((row) => !row.hidden).length;
    element.hidden = !shown;
    setText(element.querySelector(".group-name .dim"), String(shown));
    element.querySelector(".group-name").hidden = element.dataset.group === "" && this.groups.size === 1;
  }

  #groupOf(name) {
    if (!this.groups.has(name)) {
      const element = make("div", "group");
      element.dataset.group = name;
      const heading = make("h2", "group-name", `${name || this.words.say("group_none")} `);
      heading.append(make("span", "dim"));
      element.append(heading, make("ol", "rows"));
      this.groups.set(name, element);
    }
    return this.groups.get(name);
  }

  #removeGroup(name, element) {
    element.remove();
    this.groups.delete(name);
  }

  #adopt(row) {
    const id = Number(row.element.dataset.host);
    this.rows.set(id, row);
    this.watcher.observe(row.element);
  }

  #drop(id) {
    const { element } = this.rows.get(id);
    this.watcher.unobserve(element);
    element.remove();
    this.rows.delete(id);
    this.seen.delete(id);
  }

  #see(entries) {
    for (const { target, isIntersecting } of entries) {
      const id = Number(target.dataset.host);
      if (isIntersecting) this.seen.add(id);
      else this.seen.delete(id);
    }
    if (this.hosts) this.paint(this.seen, Date.now());
  }

  #step(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    const links = [...this.board.querySelectorAll(".row:not([hidden]) a")];
    const place = links.indexOf(document.activeElement) + step;
    if (!links[place]) return;
    event.preventDefault();
    links[place].focus();
  }
}

/** Put the elements into `parent` in this order, before `end`; those that follow one another already stay. */
function place(parent, elements, end) {
  let next = end;
  for (const element of elements.toReversed()) {
    if (element.nextElementSibling !== next || element.parentNode !== parent) parent.insertBefore(element, next);
    next = element;
  }
}
