/** Moments as labels: as fine as the distance between them, in the reader's own time zone, 24 hours. */

const MINUTE = 60_000;
const DAY = 86_400_000;

const forms = new Map();

function format(moment, language, form) {
  const key = `${language} ${JSON.stringify(form)}`;
  if (!forms.has(key)) forms.set(key, new Intl.DateTimeFormat(language, form));
  return forms.get(key).format(moment);
}

const TIME = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const DATE = { month: "short", day: "numeric" };

/** Labels of an axis whose moments (ms since 1970) are `step` ms apart; midnight is told as the date. */
export function labelTimes(moments, step, language) {
  return moments.map((moment) => {
    const at = new Date(moment);
    if (step >= 28 * DAY) return format(at, language, { year: "numeric", month: "short" });
    if (step >= DAY || (step >= MINUTE && !at.getHours() && !at.getMinutes())) return format(at, language, DATE);
    return format(at, language, step < MINUTE ? { ...TIME, second: "2-digit" } : TIME);
  });
}

/** One moment in full, as fine as points of `width` ms are. */
export function sayMoment(moment, width, language) {
  const fine = width < 1000 ? { second: "2-digit", fractionalSecondDigits: 1 } : width < MINUTE ? { second: "2-digit" } : {};
  return format(new Date(moment), language, width >= DAY ? { year: "numeric", ...DATE } : { ...DATE, ...TIME, ...fine });
}

/** When something ends (both ms since 1970): the time of day, with its date where that is not today's. */
export function sayUntil(moment, now, language) {
  const today = new Date(moment).toDateString() === new Date(now).toDateString();
  return format(new Date(moment), language, today ? TIME : { ...DATE, ...TIME });
}

/** A stretch of time. */
export function sayStretch(since, until, language) {
  const seconds = until - since < 60 * MINUTE ? { second: "2-digit" } : {};
  const form = new Intl.DateTimeFormat(language, { year: "numeric", ...DATE, ...TIME, ...seconds });
  return form.formatRange(new Date(since), new Date(until));
}
