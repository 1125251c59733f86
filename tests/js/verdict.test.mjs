import assert from "node:assert/strict";
import { test } from "node:test";
import { NOTHING } from "../../monitor/static/js/run.js";
import { tally } from "../../monitor/static/js/tally.js";
import { judge, MARKS, markOf } from "../../monitor/static/js/verdict.js";

const linesOf = (...statuses) =>
  statuses.map((status, data1) => ({ data1, status, rtt_ms: status === "reply" ? 10 : null }));

function verdictOf(outcome, ...statuses) {
  const lines = linesOf(...statuses);
  return judge({ ...NOTHING, run: "a", host: "h", count: 5, outcome, lines }, tally(lines));
}

const five = (status) => Array(5).fill(status);

test("before the first run there is an invitation", () => {
  assert.deepEqual([judge(NOTHING, tally([])).tone, judge(NOTHING, tally([])).key], ["quiet", "empty"]);
});

test("a run that goes on is judged by nobody, whatever it lost", () => {
  const { tone, values } = verdictOf("running", "timeout", "reply");
  assert.equal(tone, "running");
  assert.deepEqual([values.done, values.count], [2, 5]);
});

test("all replies are good, some are a warning, none is bad", () => {
  assert.deepEqual(pick(verdictOf("finished", ...five("reply"))), ["up", "good"]);
  assert.deepEqual(pick(verdictOf("finished", "reply", "timeout")), ["degraded", "some"]);
  assert.deepEqual(pick(verdictOf("finished", ...five("timeout"))), ["down", "none"]);
});

test("where one reason explains every loss, the verdict gives it", () => {
  assert.deepEqual(pick(verdictOf("finished", ...five("no_route"))), ["down", "all_no_route"]);
  assert.deepEqual(pick(verdictOf("finished", ...five("host_unreachable"))), ["down", "all_host_unreachable"]);
  assert.deepEqual(pick(verdictOf("finished", "prohibited", "no_route")), ["down", "none"]);
});

test("a router that explained itself only now and then is believed for the silence between", () => {
  const verdict = verdictOf("finished", "net_unreachable", "timeout", "net_unreachable");
  assert.deepEqual([...pick(verdict), ...keys(verdict)], ["down", "all_net_unreachable", "hint_net_unreachable"]);
});

test("what a person can do about it is said below", () => {
  assert.deepEqual(keys(verdictOf("finished", ...five("timeout"))), ["hint_timeout"]);
  assert.deepEqual(keys(verdictOf("finished", ...five("no_route"))), ["hint_no_route"]);
  assert.deepEqual(keys(verdictOf("finished", ...five("reply"))), []);
});

test("a host whose replies all came too late answers, and the person is told what would count them", () => {
  const late = (lines, number) =>
    judge({ ...NOTHING, run: "a", host: "h", count: 2, outcome: "finished", lines, summary: { late: number } }, tally(lines));
  const none = late(linesOf("timeout", "timeout"), 2);
  assert.deepEqual([...pick(none), ...keys(none)], ["degraded", "all_late", "some_late"]);
  assert.equal(none.notes[0].values.n, 2);
  const some = late(linesOf("reply", "timeout"), 1);
  assert.deepEqual([...pick(some), ...keys(some)], ["degraded", "some", "some_late"]);
});

test("a run that ended early says how", () => {
  const stopped = verdictOf("stopped", "reply", "reply");
  assert.equal(stopped.tone, "up");
  assert.deepEqual(stopped.notes, [{ key: "outcome_stopped", values: { n: 2, count: 5 } }]);
  for (const outcome of ["interrupted", "failed", "unknown"]) {
    assert.ok(keys(verdictOf(outcome, "reply")).includes(`outcome_${outcome}`));
  }
});

test("pings that were not sent are neither good nor bad", () => {
  assert.deepEqual(pick(verdictOf("finished", ...five("not_sent"))), ["unmeasured", "all_not_sent"]);
  assert.deepEqual(pick(verdictOf("stopped")), ["unmeasured", "nothing"]);
  const mixed = verdictOf("finished", "reply", "not_sent");
  assert.deepEqual([...pick(mixed), ...keys(mixed)], ["up", "good", "some_not_sent"]);
});

test("every tone but the quiet one has a shape of its own", () => {
  const shapes = ["running", "up", "degraded", "down", "unmeasured"].map((tone) => MARKS[tone]);
  assert.equal(new Set(shapes).size, 5);
  assert.deepEqual([markOf("reply"), markOf("not_sent"), markOf("prohibited")], ["✓", "▨", "✕"]);
});

function pick({ tone, key }) {
  return [tone, key];
}

function keys({ notes }) {
  return notes.map(({ key }) => key);
}
