/** A host's verdict as one sentence. */

import { milliseconds, percent } from "../figures.js";
import { sayReason } from "./reasons.js";
import { saySpan } from "./spans.js";
import { sayUntil } from "./times.js";

/** The sentence for a host: {tone, last, loss5, problem, since, reason, limit}, at `now` (ms since 1970). */
export function sayVerdict(host, now, words) {
  const { tone, loss5, since, reason, limit } = host;
  const loss = words.say("percent", { number: percent(loss5) });
  const span = since ? saySpan(now - since, words) : "";
  const values = { loss, span, reason: sayReason(reasonOf(host), words), limit: milliseconds((limit ?? 0) / 1000) };
  if (tone === "up") return words.say(`host_up${since ? nuance(loss5) : "_new"}`, values);
  if (reason === "until") values.until = sayUntil(limit, now, words.language);
  const broken = `host_${tone}_${reason}`;
  return words.say(words.has(broken) ? broken : `host_${tone}`, values);
}

/** What stands where the lines of a host will come. */
export function sayWaiting(host, words) {
  if (host.tone === "not_measured") return words.say("lines_not_measured", { reason: sayReason(reasonOf(host), words) });
  return words.say(host.tone === "paused" ? "lines_paused" : "lines_soon");
}

const nuance = (loss) => (loss === null ? "_since" : loss ? "_lossy" : "");

const reasonOf = ({ problem, last }) => problem || (typeof last === "string" ? last : "timeout");
