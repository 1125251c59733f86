/** One point of the history, in words and in cells. */

import { make } from "../element.js";
import { milliseconds, percent } from "../figures.js";
import { kindOf } from "./columns.js";
import { sayReason } from "./reasons.js";
import { sayMoment } from "./times.js";

const ms = (time) => milliseconds(time === null ? null : time / 1000);

/** The sentence that is read out for a point. */
export function sayPoint({ columns, width }, place, words) {
  const time = sayMoment(columns.t[place], width, words.language);
  const [sent, received] = [columns.sent[place], columns.received[place]];
  const kind = kindOf(columns, place);
  if (kind === "nothing") return words.say("point_nothing", { time });
  if (kind === "unmeasured") return words.say("point_unmeasured", { time, reason: sayReason(columns.reason[place], words) });
  if (kind === "lost") return words.say(sent === 1 ? "point_lost_one" : "point_lost", { time, sent, lost: sent - received });
  if (sent === 1) return words.say("point_one", { time, ms: ms(columns.median[place]) });
  const loss = words.say("percent", { number: percent(columns.loss[place]) });
  const values = { time, median: ms(columns.median[place]), low: ms(columns.p5[place]), high: ms(columns.p95[place]), loss };
  return words.say("point", values);
}

/** Write a row for each point that has data, the newest first. */
export function fillTable(body, series, words) {
  const places = [...series.columns.t.keys()].filter((place) => kindOf(series.columns, place) !== "nothing");
  body.replaceChildren(...places.reverse().map((place) => makeRow(pointCells(series, place, words))));
}

function makeRow([time, ...cells]) {
  const row = make("tr");
  const head = make("th", "", time);
  head.scope = "row";
  row.append(head, ...cells.map((text, i) => make("td", i < cells.length - 1 ? "number" : "", text)));
  return row;
}

// Time, sent, lost, median, 5 %, 95 %, slowest, not measured.
function pointCells({ columns, width }, place, words) {
  const { t, sent, received, not_measured: missing, reason } = columns;
  const lost = sent[place] === null ? "–" : String(sent[place] - received[place]);
  const times = ["median", "p5", "p95", "max"].map((name) => ms(columns[name][place]));
  const why = missing[place] ? `${missing[place]}: ${sayReason(reason[place], words)}` : "";
  return [sayMoment(t[place], width, words.language), String(sent[place] ?? "–"), lost, ...times, why];
}
