/** Lengths of time as people say them: two units at most, the smaller one only where it matters. */

/** {key, values} for a length in milliseconds. */
export function describeSpan(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [minutes, hours, days] = [60, 3600, 86400].map((unit) => Math.floor(seconds / unit));
  if (!minutes) return { key: "span_s", values: { s: seconds } };
  if (!hours) return { key: "span_min", values: { min: minutes } };
  if (!days) return { key: minutes % 60 ? "span_h_min" : "span_h", values: { h: hours, min: minutes % 60 } };
  return { key: hours % 24 ? "span_d_h" : "span_d", values: { d: days, h: hours % 24 } };
}

/** The same as a sentence's part. */
export function saySpan(ms, words) {
  const { key, values } = describeSpan(ms);
  return words.say(key, values);
}

/** How long ago a moment was (both ms since 1970). */
export const sayAge = (moment, now, words) => saySpan(now - moment, words);
