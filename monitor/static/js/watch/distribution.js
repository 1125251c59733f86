/** The distribution of a host's round trips, as a picture and as a sentence. */

import { setText } from "../element.js";
import { milliseconds, NONE, percent } from "../figures.js";
import { histogram, percentile } from "./spread.js";

const find = (selector) => document.querySelector(selector);
const ms = (time) => milliseconds(time === null ? null : time / 1000);
const withUnit = (time) => (time === null ? NONE : `${ms(time)} ms`);

/** Show {total, bins} in the figures and in the panel of the distribution. */
export function showDistribution({ total, bins }, words) {
  const [p5, p25, p50, p75, p95] = [0.05, 0.25, 0.5, 0.75, 0.95].map((share) => percentile(bins, share));
  setText(find("#median"), withUnit(p50));
  setText(find("#band"), p5 === null ? NONE : `${ms(p5)}–${ms(p95)} ms`);
  setText(find("#most"), withUnit(total.max_us));
  const loss = total.sent ? 1 - total.received / total.sent : null;
  setText(find("#loss"), loss === null ? NONE : words.say("percent", { number: percent(loss) }));
  const values = { n: total.received.toLocaleString(words.language), low: ms(p25), high: ms(p75), most: ms(total.max_us) };
  setText(find("#spread"), total.received ? words.say("spread", values) : words.say("spread_nothing"));
  find(".spread").hidden = !total.received;
  draw(histogram(bins), [p25, p75]);
}

function draw({ columns, low, high, place }, [p25, p75]) {
  const wide = 100 / (columns.length || 1);
  const bars = columns.map((share, i) => (share ? `M${i * wide} 100v${-98 * share}h${wide * 0.84}V100z` : ""));
  find(".spread .bars").setAttribute("d", bars.join(""));
  const [left, right] = place ? [100 * place(p25), 100 * place(p75)] : [0, 0];
  find(".spread .middle").setAttribute("d", `M${left} 0H${right}V100H${left}z`);
  const labels = columns.length ? [low, Math.sqrt(low * high), high].map(withUnit) : ["", "", ""];
  [...find(".spread-axis").children].forEach((label, i) => setText(label, labels[i]));
}
