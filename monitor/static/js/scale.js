/** The axes of the chart: rounded, and steady while results stream in. */

const STEPS = [1, 2, 2.5, 5, 10];
const ROOM = 1.25;

/**
 * The y axis for a largest round trip of `peak` ms: {max, step}, at most four steps high.
 * `previous` is kept as long as the peak fits it, and a new one leaves room above the peak.
 */
export function heightFor(peak, previous = null) {
  if (previous && peak <= previous.max) return previous;
  const wanted = Math.max(peak * ROOM, 0.004);
  const power = 10 ** Math.floor(Math.log10(wanted / 4));
  const step = STEPS.map((factor) => factor * power).find((each) => each * 4 >= wanted);
  return { max: step * Math.ceil(wanted / step), step };
}

/** Labels of the x axis: ping numbers from 1 to `count`, at most `most` of them, evenly apart. */
export function numbersFor(count, most = 10) {
  if (count <= most) return Array.from({ length: count }, (_, i) => i + 1);
  const step = [2, 5, 10, 20, 25, 50, 100, 200, 500, 1000].find((each) => count / each <= most) ?? count;
  return Array.from({ length: Math.floor(count / step) }, (_, i) => (i + 1) * step);
}
