/** What a row of the board means: [id, state, last, loss of 5 min, jitter, sent at]. */

const LOSING = 0.02; // a host that answers and loses so much of five minutes is not simply up
const RANKS = { down: 0, not_measured: 1, degraded: 2, starting: 3, up: 4, paused: 5 };

const names = new Intl.Collator(undefined, { numeric: true });

export const STATES = Object.keys(RANKS);
export const MARKS = { up: "✓", degraded: "▲", down: "✕", starting: "◌", not_measured: "▨", paused: "⏸" };

/** The state as it is shown. */
export const toneOf = (state, loss) => (state === "up" && loss >= LOSING ? "degraded" : state);

/** Whether a person should look at it. */
export const needsAttention = (tone) => RANKS[tone] <= RANKS.degraded;

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
