/** The live chart of a run: round trips as they were measured, never smoothed, a gap where there was none. */

import { setText } from "./element.js";
import { milliseconds } from "./figures.js";
import { drawGaps, drawGhosts, drawLosses } from "./marks.js";
import { Plot } from "./plot.js";
import { heightFor, numbersFor } from "./scale.js";

export class Chart extends Plot {
  /** Draw into `box`; the ping under the cursor is read out in `readout`. */
  constructor(box, readout, words) {
    super(box, ["accent", "down", "dim", "line", "ghost", "gap"]);
    Object.assign(this, { readout, words, state: null });
  }

  /** Show a state of a run; `count` is how many pings the axis has room for. */
  show(state, count) {
    const another = state.run !== this.state?.run || count !== this.count;
    const grown = state.lines !== this.state?.lines || state.gaps !== this.state?.gaps;
    if (state.run !== this.state?.run) this.height = this.cursor = null;
    Object.assign(this, { state, count });
    if (another || !this.plot) this.rebuild();
    else if (grown) this.#update();
  }

  get ready() {
    return this.state !== null;
  }

  get last() {
    return this.state.lines.length - 1;
  }

  get page() {
    return 10;
  }

  positionOf(index) {
    return index + 1;
  }

  data() {
    const numbers = Array.from({ length: this.count }, (_, i) => i + 1);
    const times = numbers.map((number) => this.#timeOf(number));
    const peak = Math.max(0, ...times);
    this.height = peak ? heightFor(peak, this.height) : this.height;
    return [numbers, times];
  }

  options() {
    const { accent } = this.colours;
    const points = { show: true, size: this.count > 40 ? 5 : 8, fill: accent, width: 0 };
    return {
      padding: [10, 12, 0, 0],
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 11 } },
      scales: {
        x: { time: false, range: () => [0.5, this.count + 0.5] },
        y: { range: () => [0, this.height?.max ?? 1] },
      },
      series: [{}, { stroke: accent, width: 2, spanGaps: false, points }],
      axes: [this.#numberAxis(), this.timeAxis()],
      hooks: {
        drawClear: [(u) => drawGaps(u, this.state.gaps, this.colours)],
        draw: [(u) => this.#drawMarks(u)],
        setCursor: [(u) => this.#read(this.held ?? (u.cursor.left < 0 ? null : u.cursor.idx))],
      },
    };
  }

  #update() {
    this.plot.setData(this.data());
    if (this.cursor !== null) this.#read(this.cursor);
  }

  #timeOf(number) {
    const line = this.state.lines[number - 1];
    return line?.status === "reply" ? line.rtt_ms : null;
  }

  #numberAxis() {
    const room = Math.max(2, Math.floor(this.box.clientWidth / 60));
    return this.axis({
      size: 30,
      grid: { show: false },
      splits: () => numbersFor(this.count, room),
      values: (_, numbers) => numbers.map(String),
    });
  }

  #drawMarks(u) {
    if (this.state.lines.length) drawLosses(u, this.state.lines, this.colours);
    else drawGhosts(u, this.count, this.colours);
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
