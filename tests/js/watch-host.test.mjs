import assert from "node:assert/strict";
import { test } from "node:test";
import { isSingle, kindOf, peakOf, runsOf, TIMES } from "../../monitor/static/js/watch/columns.js";
import { Echoes, join } from "../../monitor/static/js/watch/echoes.js";
import { hold } from "../../monitor/static/js/watch/fingers.js";
import { sayVerdict } from "../../monitor/static/js/watch/judgement.js";
import { Words } from "../../monitor/static/js/words.js";
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

const told = (...lines) => {
  const echoes = new Echoes();
  for (const [t, us] of lines) echoes.add({ t, us });
  return echoes.lines;
};
const LIVE = { since: 1500, width: 1000, quiet: 3500 };

test("live lines go on where what was fetched ends, each once, and what is too old leaves", () => {
  const columns = columnsOf(reply(0, 40), reply(1000, 50), reply(2000, 60), { t: 3000 });
  const grown = join(columns, told([2500, 70], [3500, "timeout"], [3500, 1]), LIVE);
  assert.deepEqual(grown.t, [1000, 2500, 3500]);
  assert.deepEqual(grown.median, [50, 70, null]);
  assert.deepEqual(grown.loss, [0, 0, 1]);
});

test("a lost ping stands where it was sent, although it is known after those behind it", () => {
  const lines = told([1000, 5], [3000, 7], [2000, "timeout"]);
  assert.deepEqual(lines.map(({ t }) => t), [1000, 2000, 3000]);
  assert.deepEqual(join(columnsOf(), lines, { ...LIVE, since: 0 }).median, [5, null, 7]);
});

test("silence between live lines is a gap", () => {
  const columns = join(columnsOf(reply(1000, 50)), told([9000, 60], [10000, 60]), LIVE);
  assert.deepEqual([...columns.t.keys()].map((place) => kindOf(columns, place)), ["reply", "nothing", "reply", "reply"]);
});

test("a ping that could not leave is not measured, and not lost", () => {
  const columns = join(columnsOf(reply(1000, 50)), told([2000, "not_sent"]), LIVE);
  assert.equal(kindOf(columns, 1), "unmeasured");
  assert.equal(columns.loss[1], null);
});

test("one finger draws the chart along, and two hold their moments while they part", () => {
  const shown = { since: 0, until: 100_000 };
  assert.deepEqual(hold([{ at: 0.75, moment: 50_000 }], shown), { since: -25_000, until: 75_000 });
  const closer = hold([{ at: 0.25, moment: 40_000 }, { at: 0.75, moment: 60_000 }], shown);
  assert.deepEqual(closer, { since: 30_000, until: 70_000 });
  const crossed = hold([{ at: 0.75, moment: 40_000 }, { at: 0.25, moment: 60_000 }], shown);
  assert.equal(crossed.until - crossed.since, 100_000);
  const tight = hold([{ at: 0, moment: 50_000 }, { at: 1, moment: 50_001 }], shown);
  assert.equal(tight.until - tight.since, 10_000);
});

test("a gap is a gap: runs of what came, what was lost, what was not measured, and nothing", () => {
  const columns = columnsOf(reply(0, 9), lost(1), lost(2), asleep(3), { t: 4 }, { t: 5 }, reply(6, 9));
  const runs = runsOf(columns).map(({ kind, from, to }) => [kind, from, to]);
  assert.deepEqual(runs, [["reply", 0, 0], ["lost", 1, 2], ["unmeasured", 3, 3], ["nothing", 4, 5], ["reply", 6, 6]]);
  assert.ok(isSingle(columns));
});

test("one slow ping does not flatten the others, and nothing at all has no peak", () => {
  const columns = columnsOf(...Array.from({ length: 50 }, (_, t) => ({ ...reply(t, 10_000), max: t === 9 ? 900_000 : 12_000 })));
  assert.equal(peakOf(columns), 20);
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

test("a verdict says by which rule a host is bad", () => {
  const words = new Words(
    {
      percent: "{number} %",
      span_min: "{min} min",
      no_reason: "no reply",
      host_degraded: "Degraded for {span}",
      host_degraded_loss: "Degraded for {span}: {loss} of pings have no reply",
      host_degraded_p95: "Degraded for {span}: one in twenty takes {limit} ms",
      host_down: "Down for {span}: {reason}",
      host_maintenance: "In maintenance for {span}",
      host_maintenance_until: "In maintenance until {until}",
    },
    "en",
  );
  const host = { tone: "degraded", loss5: 0.229, since: NOW - 41 * 60_000, reason: "loss", limit: 0.05 };
  const say = (more) => sayVerdict({ ...host, ...more }, NOW, words);
  assert.equal(say({}), "Degraded for 41 min: 23 % of pings have no reply");
  assert.equal(say({ reason: "p95", limit: 60_000 }), "Degraded for 41 min: one in twenty takes 60.0 ms");
  assert.equal(say({ reason: "" }), "Degraded for 41 min");
  const today = new Date(NOW).setHours(23, 59);
  assert.equal(say({ tone: "maintenance", reason: "until", limit: today }), "In maintenance until 23:59");
  assert.match(say({ tone: "maintenance", reason: "until", limit: today + 864e5 }), /until \w+ \d+, 23:59$/);
  assert.equal(say({ tone: "maintenance", reason: "" }), "In maintenance for 41 min");
  assert.equal(say({ tone: "down", reason: "lost_in_row", limit: 5 }), "Down for 41 min: no reply");
});
