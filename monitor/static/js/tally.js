/** Sums over the lines of a run, as the server's own summary has them. */

/**
 * Count lines and their round trips in the order sent.
 * Returns counts, `loss` as a fraction (null before the first measured ping) and times in
 * milliseconds (null where nothing was received); `reasons` maps a status to its count.
 */
export function tally(lines) {
  const reasons = {};
  for (const { status } of lines) reasons[status] = (reasons[status] ?? 0) + 1;
  const times = lines.filter((line) => line.status === "reply").map((line) => line.rtt_ms);
  const notSent = reasons.not_sent ?? 0;
  const sent = lines.length - notSent;
  const lost = sent - times.length;
  return { sent, received: times.length, lost, notSent, reasons, loss: sent ? lost / sent : null, ...spread(times) };
}

function spread(times) {
  if (!times.length) return { min: null, avg: null, max: null, mdev: null, jitter: null };
  const avg = mean(times);
  const mdev = Math.sqrt(mean(times.map((time) => (time - avg) ** 2)));
  const steps = times.slice(1).map((time, i) => Math.abs(time - times[i]));
  const jitter = steps.length ? mean(steps) : null;
  return { min: Math.min(...times), avg, max: Math.max(...times), mdev, jitter };
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
