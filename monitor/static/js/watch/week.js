/** The hours of the week as a table in colour: the server counts by the reader's clock where it knows it, by UTC where not. */

import { make, setText } from "../element.js";
import { milliseconds, percent } from "../figures.js";

const HOURS = 24;
const WEEK = 7 * HOURS;
const MUCH = 0.1;

/** 7 × 24 cells of UTC as 7 × 24 of a clock that is so many minutes ahead; half hours go to the nearer one. */
export function turn(days, ahead) {
  const flat = days.flat();
  const shift = Math.round(ahead / 60);
  const turned = flat.map((_, place) => flat[(place - shift + WEEK) % WEEK]);
  return days.map((_, day) => turned.slice(day * HOURS, (day + 1) * HOURS));
}

/** The name of the reader's time zone. */
export const zoneHere = () => new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** {least, most} of the scale of colours: one odd hour may not take the colour from the others. */
export function scaleOf(medians) {
  const sorted = medians.toSorted((one, other) => one - other);
  const [least, most] = [0.05, 0.95].map((share) => sorted[Math.round(share * (sorted.length - 1))] || 1);
  return { least, most: Math.max(most, least * 1.25) };
}

/** The share (0 to 1) of a median on that scale, by the logarithms. */
export function shareOf(median, { least, most }) {
  return Math.min(1, Math.max(0, Math.log(median / least) / Math.log(most / least)));
}

/** Fill the panel: the table, the scale of its colours, and a sentence on the cell under pointer or focus. */
export function showWeek(panel, { days, zone }, words) {
  const [table, readout] = ["#week", "#cell"].map((part) => panel.querySelector(part));
  const cells = zone === zoneHere() ? days : turn(days, -new Date().getTimezoneOffset());
  const medians = cells.flat().flatMap((cell) => cell?.median_us ?? []);
  const scale = scaleOf(medians);
  showScale(panel.querySelector(".scale"), medians.length ? scale : null);
  const head = make("tr");
  head.append(make("td"), ...Array.from({ length: HOURS }, (_, hour) => scoped(hour % 3 ? "" : String(hour), "col")));
  const rows = cells.map((day, number) => makeDay(day, dayName(number, words.language, "short"), number));
  table.replaceChildren(make("thead"), make("tbody"));
  table.firstChild.append(head);
  table.lastChild.append(...rows);
  const say = ({ target }) => target.dataset?.said && setText(readout, target.dataset.said);
  table.onmouseover = table.onfocusin = say;

  function makeDay(day, name, number) {
    const row = make("tr");
    row.append(scoped(name, "row"), ...day.map((cell, hour) => makeCell(cell, number, hour)));
    return row;
  }

  function makeCell(cell, number, hour) {
    const said = describe(cell, { day: dayName(number, words.language, "long"), hour: String(hour).padStart(2, "0") });
    const element = make("td");
    element.append(make("span", "unseen", said));
    element.dataset.said = said;
    if (!cell?.sent) return element;
    const loss = 1 - cell.received / cell.sent;
    if (loss >= 0.01) element.dataset.loss = loss === 1 ? "all" : loss < MUCH ? "some" : "much";
    if (cell.median_us === null) return element;
    element.dataset.level = "";
    element.style.setProperty("--share", `${Math.round(8 + 84 * shareOf(Math.max(1, cell.median_us), scale))}%`);
    return element;
  }

  function describe(cell, values) {
    if (!cell?.sent) return words.say("cell_nothing", values);
    if (cell.median_us === null) return words.say("cell_lost", values);
    const loss = words.say("percent", { number: percent(1 - cell.received / cell.sent) });
    return words.say("cell", { ...values, ms: milliseconds(cell.median_us / 1000), loss });
  }
}

function showScale(element, scale) {
  element.hidden = !scale;
  if (!scale) return;
  const [least, most] = element.querySelectorAll("span");
  setText(least, `${milliseconds(scale.least / 1000)} ms`);
  setText(most, `${milliseconds(scale.most / 1000)} ms`);
}

function scoped(text, scope) {
  const cell = make(text ? "th" : "td", "", text);
  if (text) cell.scope = scope;
  return cell;
}

// The fifth of January 1970 was a Monday.
const dayName = (number, language, weekday) =>
  new Intl.DateTimeFormat(language, { weekday, timeZone: "UTC" }).format(new Date((4 + number) * 86_400_000));
