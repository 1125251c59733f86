/** A host's verdict as one sentence. */

import { percent } from "../figures.js";
import { sayReason } from "./reasons.js";
import { saySpan } from "./spans.js";

/** The sentence for a host: {tone, state, last, loss5, problem, since}, at `now` (ms since 1970). */
export function sayVerdict({ tone, last, loss5, problem, since }, now, words) {
  const loss = words.say("percent", { number: percent(loss5) });
  const values = { loss, span: since ? saySpan(now - since, words) : "" };
  if (tone === "up") return words.say(!since ? "host_up_new" : loss5 ? "host_up_lossy" : "host_up", values);
  const reason = sayReason(problem || (typeof last === "string" ? last : "timeout"), words);
  return words.say(`host_${tone}`, { ...values, reason });
}
