/** The columns of a chart, as the server sends them, and what is done with them before they are drawn. */

export const TIMES = ["min", "p5", "p25", "median", "p75", "p95", "max"];
export const COLUMNS = ["t", "sent", "received", "not_measured", "reason", "loss", ...TIMES];
const ROOM = 2;

/** When the last point with data began; -Infinity where there is none. */
export const lastMeasured = ({ t, sent }) => t[sent.findLastIndex((number) => number !== null)] ?? -Infinity;

/**
 * The highest round trip (ms) that the axis should make room for; 0 where there is none. A few slow ones may not flatten
 * all the others: twice the 95 % of all but one point in fifty is enough, and what is slower is marked at the edge.
 */
export function peakOf({ max, p95 }) {
  const times = p95.filter((time) => time !== null).sort((one, other) => one - other);
  const usual = times[Math.ceil(0.98 * times.length) - 1] ?? 0;
  const slowest = max.reduce((most, time) => Math.max(most, time ?? 0), 0);
  return Math.min(slowest, ROOM * usual) / 1000;
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
