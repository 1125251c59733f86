/** What a row of the board means: [id, state, last, loss of 5 min, jitter, sent at], and of a bad one also since, reason
 * and limit; of one in maintenance since when, "until", and when it ends. */

const RANKS = { down: 0, degraded: 1, not_measured: 2, starting: 3, up: 4, maintenance: 5, paused: 6 };

const names = new Intl.Collator(undefined, { numeric: true });

export const STATES = Object.keys(RANKS);
export const MARKS = { up: "✓", degraded: "▲", down: "✕", starting: "◌", not_measured: "▨", maintenance: "⚒", paused: "⏸" };

/** What a row says of a host that is known already; `at` (ms since 1970) is when, null where it is no news. */
export function readRow([, state, last, loss5, jitter, sentAt, began, reason = "", limit = null], at, host) {
  const since = began ?? (at !== null && host.state && host.state !== state ? at : host.since);
  return { state, tone: state, last, loss5, jitter, sentAt, since, reason, limit };
}

/** Whether a person should look at it. */
export const needsAttention = (tone) => RANKS[tone] <= RANKS.not_measured;

/** Worst first; among equals whoever loses more, in steps, so that neighbours do not change places all the time. */
export function compare(one, other) {
  return (
    RANKS[one.tone] - RANKS[other.tone] ||
    stepOf(other.loss5) - stepOf(one.loss5) ||
    names.compare(one.name, other.name) ||
    one.id - other.id
  );
}

const stepOf = (loss) => Math.ceil((loss ?? 0) * 20);

/** How many hosts there are of each tone. */
export function countTones(hosts) {
  const counts = {};
  for (const { tone } of hosts) counts[tone] = (counts[tone] ?? 0) + 1;
  return counts;
}

/** {key, values} of the board's first line. */
export function summarize(counts) {
  const tones = Object.keys(counts);
  const count = (some) => some.reduce((sum, tone) => sum + counts[tone], 0);
  const [number, troubled] = [count(tones), count(tones.filter(needsAttention))];
  if (troubled) return { key: "some_need", values: { n: troubled, number } };
  if (counts.up) return { key: counts.up === number ? "all_answer" : "rest_idle", values: { n: counts.up, all: number } };
  return { key: tones.every((tone) => tone === "paused") ? "all_paused" : "none_judged", values: {} };
}
