/** Hosts of one group: a heading that counts them, and their rows in blocks. */

import { make, setText } from "../element.js";
import { arrange, Block } from "./block.js";

const LONG = 20; // rows of a block

export class Group {
  constructor(element) {
    Object.assign(this, { element, heading: element.querySelector(".group-name") });
    this.blocks = [...element.querySelectorAll(".rows")].map((rows) => new Block(rows));
  }

  get ids() {
    return this.blocks.flatMap(({ ids }) => ids);
  }

  /** Show these hosts, in this order. */
  hold(ids) {
    const number = Math.ceil(ids.length / LONG);
    this.blocks.length = Math.min(number, this.blocks.length);
    while (this.blocks.length < number) this.blocks.push(new Block());
    this.blocks.forEach((block, place) => block.hold(ids.slice(place * LONG, (place + 1) * LONG)));
    arrange(this.element, [this.heading, ...this.blocks.map(({ element }) => element)]);
    setText(this.heading.querySelector(".dim"), String(ids.length));
  }
}

/** A new group of this name. */
export function makeGroup(name, words) {
  const element = make("div", "group");
  const heading = make("h2", "group-name", `${name || words.say("group_none")} `);
  element.dataset.group = name;
  heading.append(make("span", "dim"));
  element.append(heading);
  return new Group(element);
}
