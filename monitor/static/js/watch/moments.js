/** Times and lengths that the server wrote: put into the reader's zone, and gone on with. */

import { setText } from "../element.js";
import { dateAndTime } from "../figures.js";

const fine = { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 1, hourCycle: "h23" };

/** {key, values} for a length of time in ms, to the second below an hour. */
export function describeExactly(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [minutes, hours, days] = [60, 3600, 86400].map((unit) => Math.floor(seconds / unit));
  if (!minutes) return { key: "exact_s", values: { s: seconds } };
  if (!hours) return { key: "exact_min", values: { min: minutes, s: seconds % 60 } };
  if (!days) return { key: "exact_h", values: { h: hours, min: minutes % 60 } };
  return { key: "exact_d", values: { d: days, h: hours % 24 } };
}

/** Say every `<time>` below `root` by the reader's clock. */
export function localize(root, language) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const text = "fine" in time.dataset ? new Intl.DateTimeFormat(language, fine).format(at) : dateAndTime(at, language);
    setText(time, text);
  }
}

/** Go on with the lengths of what still lasts, at `now` (ms since 1970). */
export function goOn(root, words, now) {
  for (const span of root.querySelectorAll("[data-since]")) {
    const { key, values } = describeExactly(now - Number(span.dataset.since));
    setText(span, words.say(key, values));
  }
}
