/** How round trips spread: bins as [least, width, count] in µs → columns of a histogram, and percentiles. */

const COLUMNS = 60;

/** The time (µs) that a share of all did not exceed; null where nothing was counted. */
export function percentile(bins, share) {
  const total = bins.reduce((sum, [, , count]) => sum + count, 0);
  if (!total) return null;
  let rank = Math.max(1, Math.ceil(total * share));
  for (const [least, width, count] of bins) {
    if (rank <= count) return least + (width * (rank - 0.5)) / count;
    rank -= count;
  }
  return null;
}

/**
 * {columns, low, high}: shares of the tallest for equal steps of time's logarithm, between what one of 200 did not
 * exceed and what all but one of 200 did not; a bin is divided between the columns that it touches.
 */
export function histogram(bins) {
  if (!bins.length) return { columns: [], low: 0, high: 0 };
  const low = Math.max(1, percentile(bins, 0.005));
  const high = Math.max(low * 1.2, percentile(bins, 0.995));
  const place = (time) => (COLUMNS * Math.log(Math.max(low, time) / low)) / Math.log(high / low);
  const columns = new Array(COLUMNS).fill(0);
  for (const [least, width, count] of bins) {
    if (least + width <= low) continue;
    const [from, to] = [place(least), Math.max(place(least + width), place(least) + 1e-9)];
    for (let column = Math.floor(from); column < Math.min(COLUMNS, to); column++) {
      columns[column] += (count * (Math.min(to, column + 1) - Math.max(from, column))) / (to - from);
    }
  }
  const most = Math.max(...columns) || 1;
  return { columns: columns.map((count) => count / most), low, high, place: (time) => place(time) / COLUMNS };
}
