/** Which stretch of time a host's page shows: a range that ends now, or a fixed one; to and from the address. */

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
export const RANGES = { live: 5 * MINUTE, "1h": 60 * MINUTE, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY, "1y": 365 * DAY };
const SHORTEST = 10_000;
const LONGEST = 20 * 365 * DAY;

/** {range} or {since, until} (ms since 1970) from the query of an address. */
export function fromSearch(search) {
  const given = new URLSearchParams(search);
  const [since, until] = ["since", "until"].map((name) => Date.parse(given.get(name) ?? ""));
  if (since < until && until - since <= LONGEST) return { since, until };
  const range = given.get("range");
  return { range: Object.hasOwn(RANGES, range) ? range : "1h" };
}

export function toSearch({ range, since, until }) {
  if (range) return `?range=${range}`;
  return `?since=${new Date(since).toISOString()}&until=${new Date(until).toISOString()}`;
}

/** When it begins and ends. */
export function limitsOf({ range, since, until }, now) {
  return range ? { since: now - RANGES[range], until: now } : { since, until };
}

/** A stretch of at least ten seconds that does not lie in the future. */
export function between(one, other, now) {
  const [from, to] = [Math.min(one, other), Math.max(one, other)];
  const length = Math.min(LONGEST, Math.max(SHORTEST, to - from));
  const until = Math.min(now, (from + to + length) / 2);
  return { since: Math.round(until - length), until: Math.round(until) };
}

/** The view that is `factor` times as long, about the same middle. */
export function zoom(view, factor, now) {
  const { since, until } = limitsOf(view, now);
  const [middle, half] = [(since + until) / 2, ((until - since) * factor) / 2];
  return between(middle - half, middle + half, now);
}

/** The view that is shifted by so many of its own lengths; back to one that follows the time when it comes to now. */
export function shift(view, lengths, now) {
  const { since, until } = limitsOf(view, now);
  const step = (until - since) * lengths;
  const nearly = (until - since) / 100; // time went on since it was left
  if (until + step < now - nearly) return between(since + step, until + step, now);
  const range = Object.keys(RANGES).find((name) => Math.abs(RANGES[name] - (until - since)) < 1000);
  return range ? { range } : between(now - (until - since), now, now);
}

/** How often (ms) a view that ends now is worth fetching again, when a point is `width` wide. */
export const refreshOf = (width) => Math.min(10 * MINUTE, Math.max(5_000, width));
