/** A stretch of rows: in the page while it is near the screen, else an empty space as high as they are. */

import { make } from "../element.js";

export const MARGIN = 400; // so many pixels beyond the screen rows are made before they are seen

export class Block {
  constructor(element = make("ol", "rows")) {
    Object.assign(this, { element, ids: [], near: null });
  }

  /** Stand for these hosts, in this order. */
  hold(ids) {
    this.ids = ids;
    this.element.style.setProperty("--rows", ids.length);
  }

  /** Have its rows in the page, or none of them; one with the focus keeps them. */
  fill(rowOf, whole) {
    if (whole || this.near || this.element.contains(document.activeElement)) {
      arrange(this.element, this.ids.map((id) => rowOf(id).element));
    } else this.element.replaceChildren();
  }

  /** Find out whether it is near the screen, as long as nobody has told. */
  measure() {
    if (this.near !== null) return;
    const { top, bottom } = this.element.getBoundingClientRect();
    this.near = bottom > -MARGIN && top < innerHeight + MARGIN;
  }
}

/** Make these elements the children of `parent`, in this order; those that stand right are not touched. */
export function arrange(parent, elements) {
  const wanted = new Set(elements);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let next = null;
  for (const element of elements.toReversed()) {
    if (element.nextElementSibling !== next || element.parentNode !== parent) parent.insertBefore(element, next);
    next = element;
  }
}
