/** The echoes of a host as they are told of, in the order sent: a lost one is known only after those behind it. */

import { COLUMNS, TIMES } from "./columns.js";

const MOST = 3_000; // ten minutes of five a second

export class Echoes {
  constructor() {
    this.lines = [];
  }

  /** Take a line of the wire; one that is known already changes nothing. */
  add(line) {
    const place = this.lines.findLastIndex(({ t }) => t <= line.t);
    if (this.lines[place]?.t === line.t) return;
    this.lines.splice(place + 1, 0, line);
    if (this.lines.length > MOST) this.lines.shift();
  }

  /** Forget all: what comes next does not join on to what was before. */
  clear() {
    this.lines = [];
  }
}

/**
 * The columns of a chart from `since` (ms) on: what was fetched, in points `width` ms wide, as far as it lies before the
 * first of the lines, and a point for each line. A stretch of more than `quiet` ms between them is a point of nothing.
 */
export function join(columns, lines, { since, width, quiet }) {
  const first = lines[0]?.t ?? Infinity;
  const old = columns.t.flatMap((at, place) => (at + width > since && at + width <= first ? [pick(columns, place)] : []));
  const points = old;
  for (const line of lines) {
    if (line.t < since) continue;
    const before = points.at(-1)?.t;
    if (before !== undefined && line.t - before > quiet) points.push({ t: before + width });
    points.push(pointOf(line));
  }
  return Object.fromEntries(COLUMNS.map((name) => [name, points.map((point) => point[name] ?? null)]));
}

const pick = (columns, place) => Object.fromEntries(COLUMNS.map((name) => [name, columns[name][place]]));

function pointOf({ t, us }) {
  if (us === "not_sent") return { t, sent: 0, received: 0, not_measured: 1, reason: -17 };
  if (typeof us !== "number") return { t, sent: 1, received: 0, not_measured: 0, loss: 1 };
  return { t, sent: 1, received: 1, not_measured: 0, loss: 0, ...Object.fromEntries(TIMES.map((name) => [name, us])) };
}
