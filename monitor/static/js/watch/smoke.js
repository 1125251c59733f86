/** The smoke chart of a host: median, middle half, 5–95 %, fastest to slowest, losses, and what was not measured. */

import { Plot } from "../plot.js";
import { heightFor } from "../scale.js";
import { isSingle, peakOf } from "./columns.js";
import { followFingers } from "./fingers.js";
import { drawBands, drawClipped, drawGround, drawRuns, drawStrip, STRIP } from "./ink.js";
import { drawIncidents } from "./shade.js";
import { labelTimes } from "./times.js";

const AXIS = 30;
const TOP = 10;

export class Smoke extends Plot {
  /**
   * Draw into `box`. `began()` is the moment (ms) from which on nothing measured is a gap; `onpoint(place)` follows the
   * cursor, null without one; `onselect(since, until)` hears of a stretch that was dragged over,
   * `ondrag(before, after)` of what fingers have in view.
   */
  constructor(box, { language, began, onpoint, onselect, ondrag }) {
    super(box, ["accent", "down", "degraded", "dim", "line", "ghost", "sunken", "middle", "wide", "faint"]);
    Object.assign(this, { language, began, onpoint, onselect, view: null });
    this.fingers = followFingers(box, {
      area: () => box.querySelector(".u-over"),
      view: () => this.view,
      show: (since, until) => this.#look(since, until),
      done: ondrag,
    });
  }

  /** Show columns, each point `width` ms wide, and incidents, between two times (ms). `steady` keeps the axis of values. */
  show({ columns, width, since, until, incidents = [] }, steady) {
    const previous = steady ? this.height : null;
    const peak = peakOf(columns);
    this.height = peak ? heightFor(peak, previous) : previous;
    const held = this.fingers.busy ? this.view : { since, until };
    this.view = { columns, width, incidents, since: held.since, until: held.until };
    if (!this.plot) return this.rebuild();
    this.plot.setData(this.data(), false);
    this.#look(held.since, held.until);
    if (this.cursor !== null) this.onpoint(this.cursor);
  }

  /** Whether a round trip lies above the axis. */
  get clips() {
    return this.view.columns.max.some((time) => time / 1000 > this.height?.max);
  }

  get ready() {
    return this.view !== null;
  }

  get last() {
    return (this.view?.columns.t.length ?? 0) - 1;
  }

  get page() {
    return Math.round(this.last / 10);
  }

  positionOf(place) {
    return this.plot.data[0][place];
  }

  data() {
    const { columns, width } = this.view;
    return [columns.t.map((at) => at + width / 2), columns.median.map((time) => (time === null ? null : time / 1000))];
  }

  options() {
    const { accent } = this.colours;
    const points = { show: (u) => this.#isLoose(u), size: 5, fill: accent, width: 0 };
    return {
      ms: 1,
      padding: [TOP, 24, 0, 0],
      cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { size: 9, fill: accent, width: 0 } },
      scales: {
        x: { time: true, range: () => [this.view.since, this.view.until] },
        y: { range: () => this.#range() },
      },
      series: [{}, { stroke: accent, width: 1.5, spanGaps: false, points }],
      axes: [this.#momentAxis(), this.timeAxis()],
      hooks: {
        drawClear: [(u) => this.#drawBehind(u)],
        draw: [(u) => this.#drawBefore(u)],
        setCursor: [(u) => this.#read(u)],
        setSelect: [(u) => this.#select(u)],
      },
    };
  }

  #look(since, until) {
    Object.assign(this.view, { since, until });
    this.plot.setScale("x", { min: since, max: until });
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

  #momentAxis() {
    return this.axis({
      size: AXIS,
      space: 70,
      grid: this.lines,
      values: (_, splits, axis, space, step) => labelTimes(splits, step, this.language),
    });
  }

  #drawBehind(u) {
    const { columns, width } = this.view;
    const limits = { began: this.began(), ended: Date.now() - 2 * width - 3000 };
    drawGround(u, this.colours);
    if (!isSingle(columns)) drawBands(u, columns, width, this.colours);
    drawRuns(u, columns, width, this.colours, limits);
    drawIncidents(u, this.view.incidents, this.view, this.colours);
  }

  #drawBefore(u) {
    const { columns, width } = this.view;
    drawStrip(u, columns, width, this.colours);
    if (this.height) drawClipped(u, columns, width, this.height.max, this.colours.dim);
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
