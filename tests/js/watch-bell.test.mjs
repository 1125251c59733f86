import assert from "node:assert/strict";
import { test } from "node:test";
import { findNews, sumUp } from "../../monitor/static/js/watch/bell.js";
import { worstOf } from "../../monitor/static/js/watch/icon.js";
import { describeExactly } from "../../monitor/static/js/watch/moments.js";
import { clip } from "../../monitor/static/js/watch/shade.js";

const host = (id, tone) => ({ id, tone, name: `host ${id}`, slug: `host-${id}` });

test("what is seen for the first time is no news", () => {
  const known = new Map();
  assert.deepEqual(findNews(known, [host(1, "down"), host(2, "up")]), []);
  assert.deepEqual(findNews(known, [host(1, "down"), host(2, "up")]), []);
});

test("going bad, getting worse and coming back are news, each once", () => {
  const known = new Map([[1, "up"]]);
  for (const tone of ["degraded", "down", "not_measured", "up"]) {
    assert.deepEqual(findNews(known, [host(1, tone)]).map((each) => each.tone), [tone]);
    assert.deepEqual(findNews(known, [host(1, tone)]), []);
  }
});

test("pausing, maintenance and starting are no news, nor is coming from there", () => {
  const known = new Map([[1, "up"]]);
  for (const tone of ["paused", "up", "maintenance", "starting", "up"]) assert.deepEqual(findNews(known, [host(1, tone)]), []);
});

test("many at once are one sentence, a few are told by name, the worst first", () => {
  const down = [1, 2, 3, 4].map((id) => host(id, "down"));
  const told = sumUp([host(5, "up"), ...down]);
  assert.deepEqual(told.map(({ key, values }) => [key, values]), [
    ["bell_many_down", { n: 4 }],
    ["bell_up", { name: "host 5" }],
  ]);
});

test("the icon is that of the worst state, and paused hosts have none", () => {
  assert.equal(worstOf({ up: 9, down: 1 }), "down");
  assert.equal(worstOf({ up: 9, paused: 1 }), "up");
  assert.equal(worstOf({ paused: 1 }), "starting");
  assert.equal(worstOf({}), "starting");
});

test("lengths are exact to the second below an hour", () => {
  const said = (s) => Object.values(describeExactly(s * 1000).values);
  assert.deepEqual([said(0), said(59), said(740), said(3600), said(90_000), said(-5)], [[0], [59], [12, 20], [1, 0], [1, 1], [0]]);
});

test("an incident is drawn as far as it is in view, an open one until now", () => {
  const view = { since: 100, until: 200 };
  const at = (since, until) => clip([{ state: "down", since, until }], view, 180).map(({ from, to }) => [from, to]);
  assert.deepEqual([at(50, 120), at(150, null), at(90, 300), at(10, 90), at(250, null)], [[[100, 120]], [[150, 180]], [[100, 200]], [], []]);
});
