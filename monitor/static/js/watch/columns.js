/** The columns of a chart, as the server sends them, and what is done with them before they are drawn. */

export const TIMES = ["min", "p5", "p25", "median", "p75", "p95", "max"];
const COUNTS = ["sent", "received", "not_measured", "reason", "loss"];
const CLIP = 3; // a single slow ping may not flatten everything else: it is marked at the edge

/** Columns with one more point for an echo that was just told of; those before `since` (ms) leave. */
export function append(columns, { t, us }, since) {
  const { t: times } = columns;
  if (t <= lastMeasured(columns)) return columns;
  const end = times.length - trailing(columns);
  const first = times.findIndex((at) => at >= since);
  const begin = first < 0 ? end : Math.min(first, end);
  const point = { t, ...pointOf(us) };
  return Object.fromEntries(["t", ...COUNTS, ...TIMES].map((name) => [name, [...columns[name].slice(begin, end), point[name]]]));
}

function pointOf(us) {
  if (us === "not_sent") return fill({ sent: 0, received: 0, not_measured: 1, reason: -17, loss: null }, null);
  const received = typeof us === "number" ? 1 : 0;
  return fill({ sent: 1, received, not_measured: 0, reason: null, loss: 1 - received }, received ? us : null);
}

const fill = (counts, time) => ({ ...counts, ...Object.fromEntries(TIMES.map((name) => [name, time])) });

const trailing = ({ sent }) => sent.length - 1 - sent.findLastIndex((number) => number !== null);

/** When the last point with data began; -Infinity where there is none. */
export const lastMeasured = ({ t, sent }) => t[sent.findLastIndex((number) => number !== null)] ?? -Infinity;

/** The highest round trip (ms) that the axis should make room for; 0 where there is none. */
export function peakOf({ max, p95 }) {
  const [slowest, usual] = [max, p95].map((column) => column.reduce((most, time) => Math.max(most, time ?? 0), 0));
  return Math.min(slowest, CLIP * usual) / 1000;
}

/** What a point is: "reply", "lost", "unmeasured" or "nothing". */
export function kindOf({ sent, received, not_measured }, place) {
  if (sent[place] === null || sent[place] === undefined) return "nothing";
  if (received[place]) return "reply";
  return sent[place] ? "lost" : not_measured[place] ? "unmeasured" : "nothing";
}

/** [{kind, from, to}]: runs of points of one kind, as places, both ends included. */
export function runsOf(columns) {
  const runs = [];
  for (let place = 0; place < columns.t.length; place++) {
    const kind = kindOf(columns, place);
    if (runs.at(-1)?.kind === kind) runs.at(-1).to = place;
    else runs.push({ kind, from: place, to: place });
  }
  return runs;
}

/** Whether every point is one ping at most. */
export const isSingle = ({ sent }) => sent.every((number) => number === null || number <= 1);
