/** What the charts have in common: their size, colours and axes, and a cursor that keys move and that is read out. */

const MOVES = { ArrowLeft: -1, ArrowRight: 1, PageUp: "back", PageDown: "on", Home: -Infinity, End: Infinity };
const EMPTY = { max: 1, step: 0.25 }; // the axis while there is nothing to measure it by

/**
 * A chart in `box`. Whoever extends it has `data()` and `options()` for uPlot, `ready` once there is something to draw,
 * `last` (the last place that a cursor can take), `page` (places that PgUp and PgDn move by) and `positionOf(place)` on
 * the x axis. `height` is {max, step} of the y axis in ms, or null; `cursor` the place that is read out, `held` one that
 * a key is just choosing.
 */
export class Plot {
  constructor(box, colours) {
    Object.assign(this, { box, names: colours, plot: null, height: null, cursor: null, held: null });
    box.addEventListener("keydown", (event) => this.#move(event));
    box.addEventListener("blur", () => this.#point(null));
    new ResizeObserver(() => this.plot?.setSize(this.#size())).observe(box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.rebuild());
  }

  /** Draw everything anew, with the colours that the page has now. */
  rebuild() {
    if (!this.ready) return;
    this.colours = readColours(this.box, this.names);
    this.plot?.destroy();
    this.plot = new globalThis.uPlot({ ...this.#size(), legend: { show: false }, ...this.options() }, this.data(), this.box);
  }

  /** An axis of ours; `timeAxis` is that of round trips. */
  axis(more) {
    const font = `12px ${getComputedStyle(this.box).fontFamily}`;
    return { stroke: this.colours.dim, font, ticks: { show: false }, gap: 8, ...more };
  }

  get lines() {
    return { stroke: this.colours.line, width: 1 };
  }

  timeAxis() {
    return this.axis({
      size: 68,
      grid: this.lines,
      splits: () => stepsOf(this.height ?? EMPTY),
      values: (_, times) => times.map((time) => (this.height ? `${Number(time.toPrecision(3))} ms` : "")),
    });
  }

  #size() {
    return { width: this.box.clientWidth, height: this.box.clientHeight };
  }

  #move(event) {
    const move = { back: -this.page, on: this.page }[MOVES[event.key]] ?? MOVES[event.key];
    const { last } = this;
    if (move === undefined || last < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const from = this.cursor ?? (move > 0 ? -1 : last + 1);
    this.#point(Math.min(last, Math.max(0, from + move)));
  }

  #point(place) {
    this.held = place;
    const left = place === null ? -10 : this.plot?.valToPos(this.positionOf(place), "x");
    this.plot?.setCursor({ left, top: place === null ? -10 : 0 });
    this.held = null;
  }
}

const stepsOf = ({ max, step }) => Array.from({ length: Math.round(max / step) + 1 }, (_, i) => i * step);

// A canvas does not know var() or light-dark(): the browser resolves them on an element.
function readColours(box, names) {
  const probe = box.appendChild(document.createElement("i"));
  const colours = names.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return Object.fromEntries(colours);
}
