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

/** {key, values} of the board's first line. */
export function summarize(hosts) {
  const tones = hosts.map(({ tone }) => tone);
  const troubled = tones.filter(needsAttention).length;
  if (troubled) return { key: "some_need", values: { n: troubled, number: hosts.length } };
  if (tones.includes("up")) return { key: "all_answer", values: { n: hosts.length } };
  return { key: tones.every((tone) => tone === "paused") ? "all_paused" : "none_judged", values: {} };
}
