/** The rows in their groups: worst first, in an order that stays while somebody points at it. */

import { arrange, MARGIN } from "./block.js";
import { Group, makeGroup } from "./group.js";
import { makeRow, Row } from "./row.js";
import { compare } from "./states.js";

const SETTLE = 10_000; // between one order and the next
const WHOLE = 200; // so many rows are all in the page, where the browser's own search finds them

export class Rows {
  constructor(board, words) {
    Object.assign(this, { board, words, rows: new Map(), groups: new Map(), blocks: new Map() });
    Object.assign(this, { near: new Set(), orderedAt: 0 });
    this.watcher = new IntersectionObserver((entries) => this.#see(entries), { rootMargin: `${MARGIN}px` });
    for (const element of board.querySelectorAll(".group")) this.groups.set(element.dataset.group, new Group(element));
    for (const element of board.querySelectorAll(".row")) {
      this.rows.set(Number(element.dataset.host), new Row(element, words));
    }
    board.addEventListener("keydown", (event) => this.#step(event));
  }

  /** Show those of the hosts that fit, in a new order at once where a person asked; `now` is in ms since 1970. */
  show(hosts, fits, now, asked) {
    const urgent = asked || !this.hosts;
    Object.assign(this, { hosts, fits });
    if (!this.arrange(now, urgent)) this.#patch();
    this.paint(this.near, now);
  }

  /** How many hosts fit. */
  get number() {
    return [...this.groups.values()].reduce((sum, { ids }) => sum + ids.length, 0);
  }

  /** Write those of the rows that are near the screen. */
  paint(ids, now) {
    for (const id of ids) {
      const host = this.near.has(id) && this.hosts.get(id);
      if (host) this.rows.get(id)?.show(host, now);
    }
  }

  /** Put the worst first, unless that was done a moment ago, or somebody is about to press one of them. */
  arrange(now, urgent = false) {
    if (!urgent && (now - this.orderedAt < SETTLE || this.board.matches(":hover, :focus-within"))) return false;
    this.orderedAt = now;
    const sorted = [...this.hosts.values()].filter(this.fits).sort(compare);
    this.#layOut(Map.groupBy(sorted, ({ group }) => group));
    return true;
  }

  // Whoever came while somebody points at the rows stands last until they are put in order.
  #patch() {
    const still = ({ ids }) => ids.flatMap((id) => this.hosts.get(id) ?? []);
    const members = new Map([...this.groups].map(([name, group]) => [name, still(group)]));
    const known = new Set([...members.values()].flat());
    const fresh = [...this.hosts.values()].filter((host) => !known.has(host) && this.fits(host));
    for (const host of fresh) members.set(host.group, [...(members.get(host.group) ?? []), host]);
    this.#layOut(members);
  }

  #layOut(members) {
    const focused = this.board.querySelector(":focus");
    for (const name of this.groups.keys()) if (!members.get(name)?.length) this.groups.delete(name);
    for (const [name, hosts] of members) if (hosts.length) this.#groupOf(name).hold(hosts.map(({ id }) => id));
    const order = [...members.keys()].flatMap((name) => this.groups.get(name) ?? []);
    for (const { heading, element } of order) heading.hidden = order.length === 1 && element.dataset.group === "";
    const [heads, nobody] = [".heads", "#nobody"].map((part) => this.board.querySelector(part));
    arrange(this.board, [heads, ...order.map(({ element }) => element), nobody]);
    this.#follow(order.flatMap(({ blocks }) => blocks));
    this.#fill();
    // An element that is moved loses the focus.
    focused?.focus({ preventScroll: true });
  }

  #groupOf(name) {
    if (!this.groups.has(name)) this.groups.set(name, makeGroup(name, this.words));
    return this.groups.get(name);
  }

  #follow(blocks) {
    const before = this.blocks;
    this.blocks = new Map(blocks.map((block) => [block.element, block]));
    for (const element of before.keys()) if (!this.blocks.has(element)) this.watcher.unobserve(element);
    for (const element of this.blocks.keys()) if (!before.has(element)) this.watcher.observe(element);
  }

  #see(entries) {
    for (const { target, isIntersecting } of entries) {
      const block = this.blocks.get(target);
      if (block) block.near = isIntersecting;
    }
    if (!this.hosts) return;
    this.#fill();
    this.paint(this.near, Date.now());
  }

  #fill() {
    const blocks = [...this.blocks.values()];
    for (const block of blocks) block.measure();
    const whole = this.hosts.size <= WHOLE;
    for (const block of blocks) block.fill((id) => this.#rowOf(id), whole);
    this.near = new Set(blocks.flatMap(({ near, ids }) => (near ? ids : [])));
    for (const [id, { element }] of this.rows) if (!element.isConnected) this.rows.delete(id);
  }

  #rowOf(id) {
    if (!this.rows.has(id)) {
      const row = makeRow(this.hosts.get(id), this.words);
      row.show(this.hosts.get(id), Date.now());
      this.rows.set(id, row);
    }
    return this.rows.get(id);
  }

  #step(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    const links = [...this.board.querySelectorAll(".row a")];
    const place = links.indexOf(document.activeElement) + step;
    if (!links[place]) return;
    event.preventDefault();
    links[place].focus();
  }
}
