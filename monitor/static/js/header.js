/** The state of the connection: in the page's header, and in a sentence where results are at stake; and what goes on. */

import { setText } from "./element.js";

const FRESH = 2_000; // so long the header says that the connection broke, before it counts down

/** {tone, key, values} for the header, from a link at the moment `now` (ms). */
export function describeLink(link, now) {
  if (link.phase === "open") return { tone: "up", key: "connected", values: {} };
  if (link.lostAt === null) return { tone: "running", key: "connecting", values: {} };
  if (now - link.lostAt < FRESH) return { tone: "down", key: "disconnected", values: {} };
  return { tone: "degraded", key: "reconnecting", values: { s: secondsLeft(link, now) } };
}

/** {key, values} for the notice over the results, or null while there is nothing to say. */
export function describeLoss(link, now) {
  if (link.phase === "open" || link.lostAt === null) return null;
  return link.phase === "waiting"
    ? { key: "lost_server", values: { s: secondsLeft(link, now) } }
    : { key: "lost_server_trying", values: {} };
}

function secondsLeft(link, now) {
  return link.phase === "waiting" ? Math.max(1, Math.ceil((link.until - now) / 1000)) : 1;
}

const MARKS = { up: "●", running: "◌", down: "✕", degraded: "◌" };

/** Show it in the header's element, touching the page only where something changed. */
export function showLink(element, { tone, key, values }, words) {
  element.dataset.tone = tone;
  setText(element.querySelector(".mark"), MARKS[tone]);
  setText(element.querySelector(".words"), words.say(key, values));
}

/** Show in the header how many incidents go on. */
export function showOpen(number) {
  const open = document.getElementById("open");
  open.hidden = !number;
  setText(open.querySelector(".number"), String(number));
}
