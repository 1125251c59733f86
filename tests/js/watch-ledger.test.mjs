import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Ledger } from "../../monitor/static/js/watch/ledger.js";

// What of a browser it needs: a part of the page, timers and pages that come when told to.
const part = {
  childNodes: ["first"],
  dataset: {},
  focused: false,
  contains: () => part.focused,
  querySelector: () => null,
  querySelectorAll: () => [],
  replaceChildren: (...nodes) => (part.childNodes = nodes),
};
const listeners = {};
let timers = [];
let asked = [];

globalThis.document = { hidden: false, activeElement: null, getElementById: () => part, addEventListener: (name, hear) => (listeners[name] = hear) };
globalThis.location = { href: "https://ping.example.org/hosts/a/" };
globalThis.DOMParser = class {
  parseFromString = (text) => ({ getElementById: () => ({ childNodes: [text], dataset: {} }) });
};
globalThis.fetch = () => new Promise((resolve) => asked.push((text) => resolve({ ok: text !== null, redirected: false, text: async () => text })));
globalThis.setTimeout = (call, wait) => timers.push({ call, wait });

const settle = () => new Promise((resolve) => setImmediate(resolve));
const wake = () => timers.shift().call();
const answer = async (text) => {
  asked.shift()(text);
  await settle();
};

beforeEach(() => {
  [timers, asked] = [[], []];
  Object.assign(part, { childNodes: ["first"], focused: false });
  document.hidden = false;
});

test("changes are fetched once however many there were, and shown", async () => {
  const ledger = new Ledger({ language: "en" });
  for (let each = 0; each < 5; each += 1) ledger.change();
  assert.equal(timers.length, 1);
  assert.ok(timers[0].wait <= 1000);
  wake();
  await answer("second");
  assert.deepEqual(part.childNodes, ["second"]);
  assert.deepEqual([timers.length, asked.length, ledger.renewal.due], [0, 0, false]);
});

test("one page is fetched at a time, and again where something changed meanwhile", async () => {
  const ledger = new Ledger({ language: "en" });
  ledger.change();
  wake();
  ledger.change();
  assert.deepEqual([timers.length, asked.length], [0, 1]);
  await answer("second");
  assert.equal(timers.length, 1);
  wake();
  await answer("third");
  assert.deepEqual(part.childNodes, ["third"]);
  assert.equal(timers.length, 0);
});

test("a page that does not come, or may not be shown under the focus, is fetched again later", async () => {
  const ledger = new Ledger({ language: "en" });
  ledger.change();
  wake();
  await answer(null);
  assert.deepEqual([part.childNodes, timers[0].wait], [["first"], 10_000]);
  part.focused = true;
  wake();
  await answer("second");
  assert.deepEqual([part.childNodes, timers[0].wait], [["first"], 10_000]);
  part.focused = false;
  wake();
  await answer("third");
  assert.deepEqual([part.childNodes, timers.length], [["third"], 0]);
});

test("a page that nobody sees fetches nothing until somebody does", async () => {
  const ledger = new Ledger({ language: "en" });
  document.hidden = true;
  ledger.change();
  assert.equal(timers.length, 0);
  document.hidden = false;
  listeners.visibilitychange();
  wake();
  await answer("second");
  assert.deepEqual(part.childNodes, ["second"]);
});
