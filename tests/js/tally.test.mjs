import assert from "node:assert/strict";
import { test } from "node:test";
import { tally } from "../../monitor/static/js/tally.js";

const reply = (rtt_ms) => ({ status: "reply", rtt_ms });
const lost = (status = "timeout") => ({ status, rtt_ms: null });

test("nothing comes to nothing, not to zero", () => {
  const { sent, loss, avg, jitter } = tally([]);
  assert.deepEqual([sent, loss, avg, jitter], [0, null, null, null]);
});

test("jitter is the mean change between answered pings in the order sent", () => {
  assert.equal(tally([reply(10), reply(50), reply(10), reply(50)]).jitter, 40);
  assert.equal(tally([reply(10), lost(), reply(14)]).jitter, 4);
  assert.equal(tally([reply(10)]).jitter, null);
});

test("mdev is the deviation of the whole population, as ping has it", () => {
  const { min, avg, max, mdev } = tally([reply(1), reply(3)]);
  assert.deepEqual([min, avg, max, mdev], [1, 2, 3, 1]);
});

test("a lost ping has no time at all", () => {
  const sums = tally([reply(8), lost(), lost("host_unreachable"), reply(12)]);
  assert.deepEqual([sums.sent, sums.received, sums.lost, sums.loss, sums.min], [4, 2, 2, 0.5, 8]);
  assert.deepEqual(sums.reasons, { reply: 2, timeout: 1, host_unreachable: 1 });
});

test("a ping that was not sent is not loss", () => {
  const sums = tally([reply(8), lost("not_sent")]);
  assert.deepEqual([sums.sent, sums.notSent, sums.loss], [1, 1, 0]);
  assert.equal(tally([lost("not_sent")]).loss, null);
});
