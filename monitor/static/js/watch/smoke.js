/** The smoke chart of a host: median, middle half, 5–95 %, fastest to slowest, losses, and what was not measured. */

import { heightFor } from "../scale.js";
import { isSingle, peakOf } from "./columns.js";
import { drawBands, drawClipped, drawRuns, drawStrip, STRIP } from "./ink.js";
import { labelTimes } from "./times.js";

const COLOURS = ["accent", "down", "dim", "line", "ghost", "sunken", "middle", "wide", "faint"];
const AXIS = 30;
const TOP = 10;
const MOVES = { ArrowLeft: -1, ArrowRight: 1, PageUp: -0.1, PageDown: 0.1, Home: -Infinity, End: Infinity };

export class Smoke {
  /** Draw into `box`. `onpoint(place)` follows the cursor, null without one; `onselect(since, until)` a drag. */
  constructor(box, { language, began, onpoint, onselect }) {
    Object.assign(this, { box, language, began, onpoint, onselect, plot: null, height: null, cursor: null, view: null });
    box.addEventListener("keydown", (event) => this.#move(event));
    box.addEventListener("blur", () => this.#point(null));
    new ResizeObserver(() => this.plot?.setSize(this.#size())).observe(box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#rebuild());
  }

  /** Show columns, each point `width` ms wide, between two times (ms). `steady` keeps the axis of the values. */
  show({ columns, width, since, until }, steady) {
    const previous = steady ? this.height : null;
    const peak = peakOf(columns);
    this.height = peak ? heightFor(peak, previous) : previous;
    this.view = { columns, width, since, until };
    if (!this.plot) return this.#rebuild();
    this.plot.setData(this.#data(), false);
    this.plot.setScale("x", { min: since, max: until });
    if (this.cursor !== null) this.onpoint(this.cursor);
  }

  #rebuild() {
    if (!this.view) return;
    this.colours = readColours(this.box);
    this.plot?.destroy();
    this.plot = new globalThis.uPlot(this.#options(), this.#data(), this.box);
  }

  #data() {
    const { columns, width } = this.view;
    return [columns.t.map((at) => at + width / 2), columns.median.map((time) => (time === null ? null : time / 1000))];
  }

  #size() {
    return { width: this.box.clientWidth, height: this.box.clientHeight };
  }

  #options() {
    const { accent } = this.colours;
    const points = { show: (u) => this.#isLoose(u), size: 5, fill: accent, width: 0 };
    return {
      ...this.#size(),
      ms: 1,
      padding: [TOP, 12, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { size: 9, fill: accent, width: 0 } },
      scales: {
        x: { time: true, range: () => [this.view.since, this.view.until] },
        y: { range: () => this.#range() },
      },
      series: [{}, { stroke: accent, width: 1.5, spanGaps: false, points }],
      axes: [this.#timeAxis(), this.#valueAxis()],
      hooks: {
        drawClear: [(u) => this.#drawBehind(u)],
        draw: [(u) => this.#drawBefore(u)],
        setCursor: [(u) => this.#read(u)],
        setSelect: [(u) => this.#select(u)],
      },
    };
  }

  // While points lie apart, each is a dot; else uPlot draws one only where it stands alone.
  #isLoose(u) {
    const { since, until, width } = this.view;
    const apart = (u.bbox.width / devicePixelRatio) * (width / (until - since));
    return apart > 7 || undefined;
  }

  #range() {
    const most = this.height?.max ?? 1;
    const tall = Math.max(40, this.box.clientHeight - AXIS - TOP);
    return [(-most * (STRIP + 3)) / (tall - STRIP - 3), most];
  }

  #timeAxis() {
    return {
      ...this.#axis(),
      size: AXIS,
      space: 70,
      grid: { stroke: this.colours.line, width: 1 },
      values: (_, splits, axis, space, step) => labelTimes(splits, step, this.language),
    };
  }

  #valueAxis() {
    const steps = ({ max, step }) => Array.from({ length: Math.round(max / step) + 1 }, (_, i) => i * step);
    return {
      ...this.#axis(),
      size: 68,
      grid: { stroke: this.colours.line, width: 1 },
      splits: () => steps(this.height ?? { max: 1, step: 0.25 }),
      values: (_, times) => times.map((time) => (this.height ? `${Number(time.toPrecision(3))} ms` : "")),
    };
  }

  #axis() {
    const font = `12px ${getComputedStyle(this.box).fontFamily}`;
    return { stroke: this.colours.dim, font, ticks: { show: false }, gap: 8 };
  }

  #drawBehind(u) {
    const { columns, width } = this.view;
    const limits = { began: this.began(), ended: Date.now() - 2 * width - 3000 };
    if (!isSingle(columns)) drawBands(u, columns, width, this.colours);
    drawRuns(u, columns, width, this.colours, limits);
  }

  #drawBefore(u) {
    const { columns, width } = this.view;
    drawStrip(u, columns, width, this.colours);
    if (this.height) drawClipped(u, columns, width, this.height.max, this.colours);
  }

  #move(event) {
    const move = MOVES[event.key];
    const last = (this.view?.columns.t.length ?? 0) - 1;
    if (move === undefined || last < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const step = Math.abs(move) < 1 ? Math.round(move * last) : move;
    const from = this.cursor ?? (step > 0 ? -1 : last + 1);
    this.#point(Math.min(last, Math.max(0, from + step)));
  }

  #point(place) {
    this.held = place;
    const left = place === null ? -10 : this.plot?.valToPos(this.plot.data[0][place], "x");
    this.plot?.setCursor({ left, top: place === null ? -10 : 0 });
    this.held = undefined;
  }

  #read(u) {
    // uPlot's own index skips points without a value, which are told here as well.
    const place = this.held ?? (u.cursor.left < 0 ? null : this.#placeAt(u.posToVal(u.cursor.left, "x")));
    this.cursor = place;
    this.onpoint(place);
  }

  #placeAt(moment) {
    const { columns, width } = this.view;
    const place = columns.t.findLastIndex((at) => at <= moment);
    return place < 0 || moment > columns.t[place] + 2 * width ? null : place;
  }

  #select(u) {
    const { left, width } = u.select;
    if (width < 4) return;
    u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.onselect(u.posToVal(left, "x"), u.posToVal(left + width, "x"));
  }
}

// A canvas does not know var() or light-dark(): the browser resolves them on an element.
function readColours(box) {
  const probe = box.appendChild(document.createElement("i"));
  const colours = COLOURS.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return Object.fromEntries(colours);
}
