import assert from "node:assert/strict";
import { test } from "node:test";
import { pause } from "../../monitor/static/js/backoff.js";

test("pauses double from half a second to ten", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6].map((attempt) => pause(attempt, () => 1)), [500, 1000, 2000, 4000, 8000, 10000, 10000]);
});

test("jitter takes off at most half, and never goes below half a second", () => {
  assert.deepEqual([0, 1, 2, 5].map((attempt) => pause(attempt, () => 0)), [500, 500, 1000, 5000]);
  for (let attempt = 0; attempt < 2000; attempt++) {
    const wait = pause(attempt);
    assert.ok(wait >= 500 && wait <= 10_000);
  }
});

test("two pages of one server do not come back together", () => {
  assert.ok(new Set(Array.from({ length: 50 }, () => pause(4))).size > 10);
});
