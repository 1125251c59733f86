/** What a run comes to, as the keys of sentences: the page fills in the words. */

import { milliseconds } from "./figures.js";
import { isRunning } from "./run.js";

/** The shape that goes with each tone, so that no state is told by colour alone. */
export const MARKS = { quiet: "", running: "◌", up: "✓", degraded: "▲", down: "✕", unmeasured: "▨" };

/** The shape of one ping's status. */
export const markOf = (status) => MARKS[{ reply: "up", not_sent: "unmeasured" }[status] ?? "down"];

/**
 * Judge a run by its state and its tally.
 * Returns {tone, key, values, notes}; each note is {key, values}. A share in `values.loss` is a fraction.
 */
export function judge(state, sums) {
  if (state.asked) return say("running", "asking", { host: state.asked.host });
  if (!state.run) return say("quiet", "empty", {});
  const values = { host: state.host, count: state.count, done: state.lines.length };
  if (isRunning(state)) return say("running", "running", values);
  return { ...weigh(state, sums), notes: notesOf(state, sums) };
}

function weigh(state, sums) {
  const { host } = state;
  const n = sums.sent;
  if (!n) return say("unmeasured", sums.notSent ? "all_not_sent" : "nothing", { n: sums.notSent, host });
  if (sums.received === n) return say("up", "good", { n, received: n, ms: milliseconds(sums.avg) });
  if (sums.received) return say("degraded", "some", { n, lost: sums.lost, loss: sums.loss });
  if (lateOf(state)) return say("degraded", "all_late", { host });
  const reason = mainReason(sums);
  return say("down", reason === "timeout" || !reason ? "none" : `all_${reason}`, { n, host });
}

function notesOf(state, sums) {
  const n = state.lines.length;
  const notes = [];
  const late = lateOf(state);
  if (late) notes.push({ key: "some_late", values: { n: late } });
  else if (sums.sent && !sums.received) notes.push(hint(mainReason(sums)));
  if (sums.sent && sums.notSent) notes.push({ key: "some_not_sent", values: { n: sums.notSent } });
  if (state.outcome !== "finished") notes.push({ key: `outcome_${state.outcome}`, values: { n, count: state.count } });
  return notes.filter((note) => note.key);
}

// Replies after the timeout: only the server has heard them.
const lateOf = ({ summary }) => summary?.late ?? 0;

// What a person can do about it, where that is not plain from the verdict.
const HINTS = ["timeout", "net_unreachable", "no_route", "blocked"];

const hint = (reason) => ({ key: HINTS.includes(reason) ? `hint_${reason}` : null, values: {} });

// Routers limit how often they explain themselves: silence beside one reason is that reason.
function mainReason({ reasons }) {
  const { timeout, not_sent, ...told } = reasons;
  const names = Object.keys(told);
  return names.length === 1 ? names[0] : names.length || !timeout ? null : "timeout";
}

const say = (tone, key, values) => ({ tone, key, values, notes: [] });
