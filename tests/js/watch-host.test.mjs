import assert from "node:assert/strict";
import { test } from "node:test";
import { append, isSingle, kindOf, peakOf, runsOf, TIMES } from "../../monitor/static/js/watch/columns.js";
import { histogram, percentile } from "../../monitor/static/js/watch/spread.js";
import { between, fromSearch, limitsOf, RANGES, shift, toSearch, zoom } from "../../monitor/static/js/watch/view.js";
import { scaleOf, shareOf, turn } from "../../monitor/static/js/watch/week.js";

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;

test("a view survives in the address, and an address that makes no sense is an hour", () => {
  for (const view of [{ range: "24h" }, { since: NOW - HOUR, until: NOW }]) assert.deepEqual(fromSearch(toSearch(view)), view);
  for (const search of ["", "?range=toString", "?since=x&until=y", `?since=${new Date(NOW).toISOString()}&until=2001-01-01`]) {
    assert.deepEqual(fromSearch(search), { range: "1h" });
  }
});

test("zooming keeps the middle, never ends in the future, and has a least length", () => {
  assert.deepEqual(zoom({ since: NOW - 4 * HOUR, until: NOW - 2 * HOUR }, 0.5, NOW), {
    since: NOW - 3.5 * HOUR,
    until: NOW - 2.5 * HOUR,
  });
  assert.equal(zoom({ range: "1h" }, 2, NOW).until, NOW);
  const { since, until } = between(NOW - 50, NOW - 49, NOW);
  assert.equal(until - since, 10_000);
  assert.ok(until <= NOW);
});

test("moving on to now follows the time again", () => {
  const earlier = shift({ range: "24h" }, -0.5, NOW);
  assert.equal(earlier.until, NOW - RANGES["24h"] / 2);
  assert.deepEqual(shift(earlier, 0.5, NOW), { range: "24h" });
  assert.deepEqual(limitsOf({ range: "1h" }, NOW), { since: NOW - HOUR, until: NOW });
});

const times = (time) => Object.fromEntries(TIMES.map((name) => [name, time]));
function columnsOf(...points) {
  const names = ["t", "sent", "received", "not_measured", "reason", "loss", ...TIMES];
  return Object.fromEntries(names.map((name) => [name, points.map((point) => point[name] ?? null)]));
}
const reply = (t, us) => ({ t, sent: 1, received: 1, not_measured: 0, loss: 0, ...times(us) });
const lost = (t) => ({ t, sent: 1, received: 0, not_measured: 0, loss: 1 });
const asleep = (t) => ({ t, sent: 0, received: 0, not_measured: 1, reason: -18 });

test("a live line goes on after what was fetched, once, and what is too old leaves", () => {
  const columns = columnsOf(reply(1000, 50), reply(2000, 60), { t: 3000 });
  const grown = append(append(columns, { t: 2500, us: 70 }, 1500), { t: 3500, us: "timeout" }, 1500);
  assert.deepEqual(grown.t, [2000, 2500, 3500]);
  assert.deepEqual(grown.median, [60, 70, null]);
  assert.deepEqual(grown.loss, [0, 0, 1]);
  assert.equal(append(grown, { t: 3500, us: 1 }, 0), grown);
});

test("a ping that could not leave is not measured, and not lost", () => {
  const columns = append(columnsOf(reply(1000, 50)), { t: 2000, us: "not_sent" }, 0);
  assert.equal(kindOf(columns, 1), "unmeasured");
  assert.equal(columns.loss[1], null);
});

test("a gap is a gap: runs of what came, what was lost, what was not measured, and nothing", () => {
  const columns = columnsOf(reply(0, 9), lost(1), lost(2), asleep(3), { t: 4 }, { t: 5 }, reply(6, 9));
  const runs = runsOf(columns).map(({ kind, from, to }) => [kind, from, to]);
  assert.deepEqual(runs, [["reply", 0, 0], ["lost", 1, 2], ["unmeasured", 3, 3], ["nothing", 4, 5], ["reply", 6, 6]]);
  assert.ok(isSingle(columns));
});

test("one slow ping does not flatten the others, and nothing at all has no peak", () => {
  const columns = columnsOf(...Array.from({ length: 50 }, (_, t) => ({ ...reply(t, 10_000), max: t === 9 ? 900_000 : 12_000 })));
  assert.equal(peakOf(columns), 30);
  assert.equal(peakOf(columnsOf(lost(1))), 0);
});

test("percentiles come out of the bins", () => {
  const bins = [[100, 1, 50], [200, 1, 49], [5000, 100, 1]];
  assert.equal(Math.floor(percentile(bins, 0.5)), 100);
  assert.equal(Math.floor(percentile(bins, 0.95)), 200);
  assert.equal(percentile([], 0.5), null);
});

test("a histogram loses nobody between its ends, and its highest column is one", () => {
  const { columns, low, high, place } = histogram([[100, 2, 30], [150, 2, 60], [400, 8, 10]]);
  assert.equal(Math.max(...columns), 1);
  assert.ok(low >= 100 && high <= 408);
  assert.ok(place(low) === 0 && place(high) > 0.999);
  assert.deepEqual(histogram([]).columns, []);
});

test("hours of UTC are turned to the reader's clock, over the end of the week as well", () => {
  const days = Array.from({ length: 7 }, (_, day) => Array.from({ length: 24 }, (_, hour) => day * 24 + hour));
  assert.equal(turn(days, 540)[0][9], 0); // Seoul
  assert.equal(turn(days, 540)[0][0], 159);
  assert.equal(turn(days, -300)[6][19], 0); // New York
  assert.deepEqual(turn(days, 0), days);
});

test("one odd hour does not take the colour from the others", () => {
  const scale = scaleOf([1, ...Array.from({ length: 100 }, (_, i) => 1000 + 10 * i)]);
  assert.ok(scale.least >= 1000);
  assert.equal(shareOf(1, scale), 0);
  assert.ok(shareOf(1500, scale) > 0.4);
  assert.ok(Number.isFinite(shareOf(5, scaleOf([]))));
});
