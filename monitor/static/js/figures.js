/** Numbers as people read them. */

export const NONE = "–";

/** Milliseconds in three significant figures, never finer than the microsecond that was measured. */
export function milliseconds(value) {
  if (value === null || value === undefined) return NONE;
  const rounded = Number(value.toPrecision(3));
  if (rounded < 1) return rounded.toFixed(3);
  return rounded.toFixed(rounded < 10 ? 2 : rounded < 100 ? 1 : 0);
}

/** A fraction in per cent, without its sign; 0 and 100 only where they are exact. */
export function percent(fraction) {
  if (fraction === null || fraction === undefined) return NONE;
  const value = fraction * 100;
  if (value === 0 || value === 100) return String(value);
  const digits = value < 10 || value > 99 ? 1 : 0;
  return String(Number(Math.min(99.9, Math.max(0.1, value)).toFixed(digits)));
}

/** The time of day, to the second, in the reader's own time zone. */
export function clock(moment, language) {
  const form = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
  return new Intl.DateTimeFormat(language, form).format(moment);
}

/** Date and time of day, likewise. */
export function dateAndTime(moment, language) {
  const form = { year: "numeric", month: "short", day: "numeric" };
  return `${new Intl.DateTimeFormat(language, form).format(moment)}, ${clock(moment, language)}`;
}
