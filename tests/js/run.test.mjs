import assert from "node:assert/strict";
import { test } from "node:test";
import { fromRecord, isRunning, NOTHING, reduce } from "../../monitor/static/js/run.js";

const ASKED = { event: "asked", host: "8.8.8.8", count: 5 };
const STARTED = { event: "started", run: "a", host: "8.8.8.8", address: "8.8.8.8", count: 5, interval: 1 };
const line = (data1, status = "reply") => ({
  event: "server",
  run: "a",
  data1,
  data: `line ${data1}`,
  rtt_ms: status === "reply" ? 12.5 : null,
  status,
});
const finished = (sent, outcome = "finished") => ({ event: "finished", run: "a", outcome, summary: { sent, not_sent: 0 } });
const play = (events, state = NOTHING) => events.reduce(reduce, state);
const lines = (from, to) => Array.from({ length: to - from }, (_, i) => line(from + i));
const running = (n) => play([ASKED, STARTED, ...lines(0, n)]);

test("a whole run goes from nothing to finished with all five lines", () => {
  const state = play([ASKED, STARTED, ...lines(0, 5), finished(5)]);
  assert.equal(state.outcome, "finished");
  assert.deepEqual(state.lines.map(({ data1 }) => data1), [0, 1, 2, 3, 4]);
  assert.equal(state.asked, null);
  assert.equal(state.resume, null);
});

test("the state before an event is never changed by it", () => {
  const before = Object.freeze(running(2));
  Object.freeze(before.lines);
  assert.equal(reduce(before, line(2)).lines.length, 3);
  assert.equal(before.lines.length, 2);
});

test("an old result is untouched by a refusal", () => {
  const old = play([finished(5)], running(5));
  const refused = play([ASKED, { event: "error", code: "bad_host", reason: "empty", run: null, host: "" }], old);
  assert.deepEqual(refused.lines, old.lines);
  assert.equal(refused.outcome, "finished");
  assert.equal(refused.asked, null);
  assert.deepEqual([refused.problem.code, refused.problem.reason], ["bad_host", "empty"]);
});

test("a refusal that names no host is about the host that was asked for", () => {
  const state = play([{ ...ASKED, host: "nowhere.invalid" }, { event: "error", code: "unknown_host", run: null }]);
  assert.equal(state.problem.host, "nowhere.invalid");
});

test("a new question forgets the problem, a new run forgets the old lines", () => {
  const refused = play([ASKED, { event: "error", code: "too_fast", retry_after: 3, run: null }], running(5));
  assert.equal(reduce(refused, ASKED).problem, null);
  const next = play([finished(5), ASKED, { ...STARTED, run: "b" }], running(5));
  assert.deepEqual([next.run, next.lines, next.summary], ["b", [], null]);
});

test("a line that came twice counts once", () => {
  const state = running(3);
  assert.equal(reduce(state, line(1)), state);
  assert.equal(reduce(state, line(2)), state);
});

test("lines and ends of other runs are ignored", () => {
  const state = running(1);
  assert.equal(reduce(state, { ...line(1), run: "b" }), state);
  assert.equal(reduce(state, { ...finished(1), run: "b" }), state);
});

test("a gap is asked for from the last contiguous line, once", () => {
  const holed = reduce(running(2), line(3));
  assert.equal(holed.lines.length, 2);
  assert.deepEqual(holed.resume, { event: "resume", run: "a", after: 1 });
  assert.equal(reduce(holed, line(4)), holed);
});

test("an end that comes while a gap is being asked for waits for the answer", () => {
  const holed = play([line(3), finished(5)], running(2));
  assert.equal(isRunning(holed), true);
  const whole = play([{ ...STARTED, replayed: 3 }, line(2), line(3), line(4), finished(5)], holed);
  assert.deepEqual([whole.lines.length, whole.outcome], [5, "finished"]);
});

test("after a gap was filled the next gap is asked for again", () => {
  const filled = play([line(3), { ...STARTED, replayed: 2 }, line(2), line(3)], running(2));
  assert.equal(filled.lines.length, 4);
  assert.deepEqual(filled.gaps, []);
  assert.equal(reduce(filled, line(5)).resume.after, 3);
});

test("an end with lines missing asks for them, and is believed the second time", () => {
  const holed = reduce(running(3), finished(5));
  assert.equal(isRunning(holed), true);
  assert.equal(holed.resume.after, 2);
  assert.equal(play([{ ...STARTED, replayed: 2 }, line(3), line(4), finished(5)], holed).lines.length, 5);
  assert.equal(reduce(holed, finished(5)), holed);
  const given = { ...STARTED, replayed: 0 };
  assert.deepEqual(play([given, finished(5)], holed).lines.length, 3);
  assert.equal(play([given, finished(5)], holed).outcome, "finished");
});

test("pings that were not sent are lines too", () => {
  const summary = { sent: 4, not_sent: 1 };
  const state = play([line(4, "not_sent"), { ...finished(0), summary }], running(4));
  assert.equal(state.outcome, "finished");
});

test("a connection that breaks in mid-run is resumed and the stretch is marked", () => {
  const away = reduce(running(2), { event: "lost" });
  assert.equal(away.away, true);
  const opened = reduce(away, { event: "opened" });
  assert.deepEqual(opened.resume, { event: "resume", run: "a", after: 1 });
  const back = play([{ ...STARTED, replayed: 2 }, line(2), line(3), line(4), finished(5)], opened);
  assert.deepEqual(back.gaps, [{ from: 2, to: 3 }]);
  assert.equal(back.missed, 2);
  assert.equal(back.away, false);
  assert.equal(back.outcome, "finished");
});

test("each new connection asks again, even at the same line", () => {
  const once = play([{ event: "lost" }, { event: "opened" }], running(2));
  const twice = play([{ event: "lost" }, { event: "opened" }], once);
  assert.deepEqual(twice.resume, once.resume);
  assert.notEqual(twice.resume, once.resume);
});

test("a return that missed nothing marks nothing", () => {
  const back = play([{ event: "lost" }, { event: "opened" }, { ...STARTED, replayed: 0 }], running(2));
  assert.deepEqual([back.gaps, back.missed, back.away], [[], 0, false]);
});

test("a run that the server no longer knows is over, and its results stay", () => {
  const unknown = { event: "error", code: "unknown_run", message: "", run: "a" };
  const state = play([{ event: "lost" }, { event: "opened" }, unknown], running(3));
  assert.equal(state.outcome, "unknown");
  assert.equal(state.lines.length, 3);
});

test("a run that does not answer to Stop is given up, one that is over is not", () => {
  assert.equal(reduce(running(3), { event: "abandoned" }).outcome, "unknown");
  const over = play([finished(5)], running(5));
  assert.equal(reduce(over, { event: "abandoned" }), over);
});

test("a question that the broken connection swallowed becomes a problem, not an endless wait", () => {
  const state = play([ASKED, { event: "lost" }]);
  assert.equal(state.asked, null);
  assert.equal(state.problem.code, "lost_before_start");
});

test("a connection that breaks between runs changes nothing", () => {
  const over = play([finished(5)], running(5));
  assert.equal(reduce(over, { event: "lost" }), over);
  assert.equal(reduce(over, { event: "opened" }), over);
});

test("a run rendered by the server is followed from its last line", () => {
  const record = { id: "a", host: "h", address: "1.1.1.1", count: 5, interval: 1, outcome: "running", lines: [], summary: null };
  const { lines: known } = running(2);
  const opened = reduce(fromRecord({ ...record, lines: known }), { event: "opened" });
  assert.equal(opened.resume.after, 1);
  assert.deepEqual(play([{ ...STARTED, replayed: 1 }, line(2)], opened).gaps, []);
  assert.equal(reduce(fromRecord({ ...record, outcome: "finished" }), { event: "opened" }).resume, null);
});

test("a run stopped by hand says so", () => {
  assert.equal(reduce(running(3), finished(3, "stopped")).outcome, "stopped");
});

test("events of no meaning return the very same state", () => {
  const state = running(1);
  for (const event of [{ event: "nonsense" }, {}, { event: "toString" }, { event: "constructor" }, STARTED]) {
    assert.equal(reduce(state, event), state);
  }
});

test("whatever is repeated, swapped or dropped, the lines stay contiguous", () => {
  let seed = 7;
  const random = (below) => (seed = (seed * 48271) % 2147483647) % below;
  const script = [ASKED, STARTED, ...lines(0, 5), finished(5), { event: "lost" }, { event: "opened" }];
  for (let round = 0; round < 2000; round++) {
    const events = Array.from({ length: 12 }, () => script[random(script.length)]);
    const { lines: shown } = play([ASKED, STARTED, ...events]);
    assert.deepEqual(shown.map(({ data1 }) => data1), shown.map((_, i) => i));
  }
});
