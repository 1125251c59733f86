/** The strip of an hour: sixty bars, height is latency, colour is loss. */

const TALL = 24;
const BAR = 4;
const MUCH = 0.1;
export const KINDS = ["none", "some", "much", "all", "unmeasured"];

/**
 * The outline of the bars of each kind, as the `d` of a path. A bar is a median in µs, [median, loss], or null where
 * there is nothing. The highest is at least twice the median of all, so that a quiet line looks quiet.
 */
export function outline(bars) {
  const pairs = bars.map((bar) => (typeof bar === "number" ? [bar, 0] : bar));
  const times = pairs.filter((pair) => pair?.[0] != null).map(([median]) => median).sort((a, b) => a - b);
  const middle = times[times.length >> 1] ?? 1;
  const top = Math.min(Math.max(2 * middle, ...times.slice(-1)), 4 * middle) || 1;
  const paths = Object.fromEntries(KINDS.map((kind) => [kind, ""]));
  pairs.forEach((pair, place) => {
    if (!pair) return;
    const { kind, height } = judge(pair, top);
    paths[kind] += `M${place * BAR} ${TALL}v-${height}h${BAR - 1}v${height}z`;
  });
  return paths;
}

function judge([median, loss], top) {
  if (loss === null) return { kind: "unmeasured", height: TALL };
  if (median === null) return { kind: "all", height: TALL };
  const height = Math.max(2, Math.min(TALL, Math.round((median / top) * TALL)));
  return { kind: loss ? (loss < MUCH ? "some" : "much") : "none", height };
}
