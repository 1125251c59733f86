import assert from "node:assert/strict";
import { test } from "node:test";
import { heightFor, numbersFor } from "../../monitor/static/js/scale.js";

test("the axis ends at a round number with room above the peak", () => {
  const cases = [[13.8, 20, 5], [57.5, 80, 20], [95, 150, 50], [0.04, 0.06, 0.02], [178, 300, 100]];
  for (const [peak, max, step] of cases) {
    const height = heightFor(peak);
    assert.ok(Math.abs(height.max - max) < 1e-9 && Math.abs(height.step - step) < 1e-9, `${peak}: ${height.max}/${height.step}`);
  }
});

test("every peak fits, in two to four steps", () => {
  for (let peak = 0.001; peak < 10_000; peak *= 1.037) {
    const { max, step } = heightFor(peak);
    assert.ok(max >= peak);
    assert.ok(Math.round(max / step) >= 2 && Math.round(max / step) <= 4, `${peak}: ${max}/${step}`);
  }
});

test("the axis does not move while the peak fits, and never shrinks", () => {
  const first = heightFor(40);
  assert.equal(heightFor(first.max, first), first);
  assert.equal(heightFor(1, first), first);
  assert.ok(heightFor(first.max * 1.01, first).max > first.max);
});

test("ping numbers are whole, evenly apart and few enough to read", () => {
  assert.deepEqual(numbersFor(5), [1, 2, 3, 4, 5]);
  assert.deepEqual(numbersFor(1), [1]);
  assert.deepEqual(numbersFor(20), [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
  assert.deepEqual(numbersFor(100), [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
  for (let count = 1; count <= 5000; count += 7) assert.ok(numbersFor(count, 6).length <= 6);
});
