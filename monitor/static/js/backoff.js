/** How long to wait before the next try. */

const FIRST = 500;
const LONGEST = 10_000;

/**
 * Milliseconds before try number `attempt` (0, 1, …): doubling from half a second to ten.
 * Half of each pause is random, so that the pages of one server do not all come back at once.
 */
export function pause(attempt, random = Math.random) {
  const full = Math.min(LONGEST, FIRST * 2 ** Math.min(attempt, 16));
  return Math.max(FIRST, Math.round(full * (0.5 + random() / 2)));
}
