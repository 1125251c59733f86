import assert from "node:assert/strict";
import { test } from "node:test";
import { clock, dateAndTime, milliseconds, percent } from "../../monitor/static/js/figures.js";

test("round trips have three significant figures", () => {
  const cases = [[12.7, "12.7"], [13.849, "13.8"], [178.04, "178"], [1.534, "1.53"], [9.996, "10.0"], [99.96, "100"], [1234.5, "1230"]];
  for (const [value, text] of cases) assert.equal(milliseconds(value), text);
});

test("no digit is finer than the microsecond that was measured", () => {
  for (const [value, text] of [[0.031, "0.031"], [0.1, "0.100"], [0.9996, "1.00"], [0, "0.000"]]) {
    assert.equal(milliseconds(value), text);
  }
});

test("what was not measured is a dash and never a zero", () => {
  for (const nothing of [null, undefined]) {
    assert.equal(milliseconds(nothing), "–");
    assert.equal(percent(nothing), "–");
  }
});

test("loss is rounded as people say it", () => {
  for (const [fraction, text] of [[0, "0"], [1, "100"], [0.2, "20"], [3 / 14, "21"], [1 / 13, "7.7"], [0.05, "5"]]) {
    assert.equal(percent(fraction), text);
  }
});

test("0 and 100 per cent are said only where they are exact", () => {
  assert.equal(percent(1 / 100_000), "0.1");
  assert.equal(percent(1 - 1 / 100_000), "99.9");
});

test("the time of day is of 24 hours in both languages", () => {
  const moment = new Date(2026, 0, 2, 15, 4, 5);
  assert.equal(clock(moment, "en"), "15:04:05");
  assert.equal(dateAndTime(moment, "en"), "Jan 2, 2026, 15:04:05");
  assert.match(clock(moment, "ko"), /15.*4.*5/);
});
