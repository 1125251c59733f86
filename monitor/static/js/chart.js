/** The live chart of a run: round trips as they were measured, never smoothed, a gap where there was none. */

import { setText } from "./element.js";
import { milliseconds } from "./figures.js";
import { drawGaps, drawGhosts, drawLosses } from "./marks.js";
import { heightFor, numbersFor } from "./scale.js";

const COLOURS = ["accent", "down", "dim", "line", "ghost", "gap"];
const PAGE = 10; // pings that PgUp and PgDn move by
const STEPS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -PAGE, PageDown: PAGE, Home: -Infinity, End: Infinity };

export class Chart {
  /** Draw into `box`; the ping under the cursor is read out in `readout`. */
  constructor(box, readout, words) {
    Object.assign(this, { box, readout, words, state: null, height: null, cursor: null });
    box.addEventListener("keydown", (event) => this.#move(event));
    box.addEventListener("blur", () => this.#point(null));
    new ResizeObserver(() => this.plot?.setSize(this.#size())).observe(box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#rebuild());
  }

  /** Show a state of a run; `count` is how many pings the axis has room for. */
  show(state, count) {
    const another = state.run !== this.state?.run || count !== this.count;
    const grown = state.lines !== this.state?.lines || state.gaps !== this.state?.gaps;
    if (state.run !== this.state?.run) this.height = this.cursor = null;
    Object.assign(this, { state, count });
    if (another || !this.plot) this.#rebuild();
    else if (grown) this.#update();
  }

  #rebuild() {
    if (!this.state) return;
    this.colours = readColours(this.box);
    this.plot?.destroy();
    this.plot = new globalThis.uPlot(this.#options(), this.#data(), this.box);
  }

  #update() {
    this.plot.setData(this.#data());
    if (this.cursor !== null) this.#read(this.cursor);
  }

  #data() {
    const numbers = Array.from({ length: this.count }, (_, i) => i + 1);
    const times = numbers.map((number) => this.#timeOf(number));
    const peak = Math.max(0, ...times);
    this.height = peak ? heightFor(peak, this.height) : this.height;
    return [numbers, times];
  }

  #timeOf(number) {
    const line = this.state.lines[number - 1];
    return line?.status === "reply" ? line.rtt_ms : null;
  }

  #size() {
    return { width: this.box.clientWidth, height: this.box.clientHeight };
  }

  #options() {
    const { accent } = this.colours;
    return {
      ...this.#size(),
      padding: [10, 12, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 11 } },
      scales: {
        x: { time: false, range: () => [0.5, this.count + 0.5] },
        y: { range: () => [0, this.height?.max ?? 1] },
      },
      series: [{}, { stroke: accent, width: 2, spanGaps: false, points: this.#points() }],
      axes: [this.#numberAxis(), this.#timeAxis()],
      hooks: {
        drawClear: [(u) => drawGaps(u, this.state.gaps, this.colours)],
        draw: [(u) => this.#drawMarks(u)],
        setCursor: [(u) => this.#read(u.cursor.left < 0 ? null : u.cursor.idx)],
      },
    };
  }

  #points() {
    return { show: true, size: this.count > 40 ? 5 : 8, fill: this.colours.accent, width: 0 };
  }

  #numberAxis() {
    const room = Math.max(2, Math.floor(this.box.clientWidth / 60));
    return {
      ...this.#axis(),
      size: 30,
      grid: { show: false },
      splits: () => numbersFor(this.count, room),
      values: (_, numbers) => numbers.map(String),
    };
  }

  #timeAxis() {
    const steps = ({ max, step }) => Array.from({ length: Math.round(max / step) + 1 }, (_, i) => i * step);
    return {
      ...this.#axis(),
      size: 68,
      grid: { stroke: this.colours.line, width: 1 },
      splits: () => (this.height ? steps(this.height) : [0, 0.25, 0.5, 0.75, 1]),
      values: (_, times) => times.map((time) => (this.height ? `${Number(time.toPrecision(3))} ms` : "")),
    };
  }

  #axis() {
    return { stroke: this.colours.dim, font: fontOf(this.box), ticks: { show: false }, gap: 8 };
  }

  #drawMarks(u) {
    if (this.state.lines.length) drawLosses(u, this.state.lines, this.colours);
    else drawGhosts(u, this.count, this.colours);
  }

  #move(event) {
    const step = STEPS[event.key];
    const last = this.state.lines.length - 1;
    if (step === undefined || last < 0) return;
    event.preventDefault();
    const from = this.cursor ?? (step > 0 ? -1 : last + 1);
    this.#point(Math.min(last, Math.max(0, from + step)));
  }

  #point(index) {
    const left = index === null ? -10 : this.plot?.valToPos(index + 1, "x");
    this.plot?.setCursor({ left, top: index === null ? -10 : 0 });
  }

  #read(index) {
    const line = index === null ? null : this.state.lines[index];
    this.cursor = line ? index : null;
    setText(this.readout, line ? this.#describe(line) : "");
  }

  #describe({ data1, rtt_ms, status }) {
    const values = { number: data1 + 1, ms: milliseconds(rtt_ms), status: this.words.say(`status_${status}`) };
    return this.words.say(status === "reply" ? "readout" : "readout_lost", values);
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

const fontOf = (box) => `12px ${getComputedStyle(box).fontFamily}`;
