import assert from "node:assert/strict";
import { test } from "node:test";
import { fits, fromSearch, toSearch } from "../../monitor/static/js/watch/filter.js";
import { Hosts } from "../../monitor/static/js/watch/hosts.js";
import { describeSpan } from "../../monitor/static/js/watch/spans.js";
import { compare, countTones, summarize } from "../../monitor/static/js/watch/states.js";
import { outline } from "../../monitor/static/js/watch/strip.js";

const shape = (id, more = {}) => ({ id, name: `h${id}`, host: `10.0.0.${id}`, address: null, group: "", tags: [], since: 1, ...more });
const row = (id, state = "up", last = 1000, loss = 0, at = 5) => [id, state, last, loss, 10, at];
const whole = (number, ...rows) => ({ number, at: 100, hosts: rows.map(([id]) => shape(id)), rows });
const tick = (number, after, ...rows) => ({ number, after, at: number * 10, rows, changed: [], gone: [] });
const known = ({ byId }) => JSON.stringify([...byId.values()].map(({ since, ...rest }) => rest));

test("an old board and its ticks are the same as a fresh board", () => {
  const followed = new Hosts();
  followed.replace(whole(7, row(1), row(2), row(3)));
  for (const message of [tick(8, 7, row(1, "down", "timeout", 1)), tick(9, 8, row(2), row(3, "paused", null))]) {
    assert.ok(followed.apply(message).known);
  }
  const fresh = new Hosts();
  fresh.replace(whole(9, row(1, "down", "timeout", 1), row(2), row(3, "paused", null)));
  assert.equal(known(followed), known(fresh));
});

test("a tick that is missing is noticed, and one that is old changes nothing", () => {
  const hosts = new Hosts();
  hosts.replace(whole(7, row(1)));
  assert.deepEqual(hosts.apply(tick(6, 5, row(1, "down"))), { known: true, ids: [] });
  assert.equal(hosts.byId.get(1).state, "up");
  assert.equal(hosts.apply(tick(9, 8, row(1))).known, false);
});

test("a host that is new or renamed is asked for, and one that is gone is gone", () => {
  const hosts = new Hosts();
  hosts.replace(whole(7, row(1), row(2)));
  assert.equal(hosts.apply({ ...tick(8, 7, row(3)), changed: [3] }).known, false);
  hosts.apply({ ...tick(9, 8), gone: [2] });
  assert.deepEqual([...hosts.byId.keys()], [1]);
});

test("a state that changes begins with the tick that told of it", () => {
  const hosts = new Hosts();
  hosts.replace(whole(7, row(1)));
  hosts.apply(tick(8, 7, row(1, "up")));
  assert.equal(hosts.byId.get(1).since, 1);
  hosts.apply(tick(9, 8, row(1, "down", "timeout", 1)));
  assert.equal(hosts.byId.get(1).since, 90);
});

test("a host that is bad says since when, by which rule and what that allows", () => {
  const hosts = new Hosts();
  hosts.replace(whole(7, row(1)));
  hosts.apply(tick(8, 7, [...row(1, "degraded", 900, 0.22), 42, "loss", 0.05]));
  const { tone, since, reason, limit } = hosts.byId.get(1);
  assert.deepEqual({ tone, since, reason, limit }, { tone: "degraded", since: 42, reason: "loss", limit: 0.05 });
  hosts.apply(tick(9, 8, row(1)));
  assert.deepEqual([hosts.byId.get(1).since, hosts.byId.get(1).reason], [90, ""]);
});

test("worst first: down, degraded, not measured, starting, up, maintenance, paused; then by loss and by name", () => {
  const tones = ["paused", "maintenance", "up", "starting", "not_measured", "degraded", "down"];
  const hosts = tones.map((tone, id) => ({ tone, loss5: 0, name: "x", id }));
  assert.deepEqual(hosts.sort(compare).map(({ tone }) => tone), tones.toReversed());
  const equals = [["b10", 0], ["b9", 0], ["z", 0.5]].map(([name, loss5], id) => ({ tone: "up", loss5, name, id }));
  assert.deepEqual(equals.sort(compare).map(({ name }) => name), ["z", "b9", "b10"]);
});

test("the first line counts who needs attention", () => {
  const all = (...tones) => summarize(countTones(tones.map((tone) => ({ tone }))));
  assert.deepEqual(all("up", "down", "degraded"), { key: "some_need", values: { n: 2, number: 3 } });
  assert.deepEqual(all("up", "up"), { key: "all_answer", values: { n: 2, all: 2 } });
  assert.deepEqual(all("up", "paused"), { key: "rest_idle", values: { n: 1, all: 2 } });
  assert.equal(all("paused").key, "all_paused");
  assert.equal(all("starting").key, "none_judged");
});

test("a filter takes words in any order, states and tags, and survives in the address", () => {
  const host = { ...shape(1, { group: "Office", tags: ["edge"] }), tone: "up" };
  assert.ok(fits(host, { query: "edge OFF 10.0", tone: "", tag: "" }));
  assert.ok(!fits(host, { query: "edge cellar", tone: "", tag: "" }));
  assert.ok(!fits(host, { query: "", tone: "down", tag: "" }));
  assert.ok(!fits(host, { query: "", tone: "", tag: "core" }));
  const filter = { query: "a & b", tone: "down", tag: "é" };
  assert.deepEqual(fromSearch(toSearch(filter)), filter);
  assert.equal(toSearch({ query: "", tone: "", tag: "" }), "");
});

test("a bar's height is latency and its kind is loss; nothing is drawn where nothing is known", () => {
  const paths = outline([1000, [1000, 0.05], [1000, 0.5], [null, 1], [null, null], null]);
  assert.equal(paths.none, "M0 24v-12h3v12z");
  assert.equal(paths.some, "M4 24v-12h3v12z");
  assert.equal(paths.much, "M8 24v-12h3v12z");
  assert.equal(paths.all, "M12 24v-24h3v24z");
  assert.equal(paths.unmeasured, "M16 24v-24h3v24z");
  assert.deepEqual(Object.values(outline([null, null])).join(""), "");
});

test("a length of time has two units at most", () => {
  const said = (seconds) => describeSpan(seconds * 1000);
  assert.deepEqual(said(59), { key: "span_s", values: { s: 59 } });
  assert.deepEqual(said(41 * 60 + 5), { key: "span_min", values: { min: 41 } });
  assert.deepEqual(said(3600), { key: "span_h", values: { h: 1, min: 0 } });
  assert.deepEqual(said(3660), { key: "span_h_min", values: { h: 1, min: 1 } });
  assert.deepEqual(said(90_000), { key: "span_d_h", values: { d: 1, h: 1 } });
  assert.deepEqual(said(-5), { key: "span_s", values: { s: 0 } });
});
