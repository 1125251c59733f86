import assert from "node:assert/strict";
import { test } from "node:test";
import { explain, request } from "../../monitor/static/js/form.js";
import { quoted, Words } from "../../monitor/static/js/words.js";

const SENTENCES = {
  pings: "{n} pings to {host}",
  pings_one: "1 ping to {host}",
  bad_host: '"{host}" is not a host.',
  bad_host_empty: "Type a host.",
  bad_value_count: "1 to {max_count}.",
  too_fast: "Again in {s} s.",
};
const words = new Words(SENTENCES, "en");

test("one is singular in English and not in Korean", () => {
  assert.equal(words.say("pings", { n: 1, host: "h" }), "1 ping to h");
  assert.equal(words.say("pings", { n: 5, host: "h" }), "5 pings to h");
  assert.equal(new Words(SENTENCES, "ko").say("pings", { n: 1, host: "h" }), "1 pings to h");
});

test("a value that looks like a hole is not filled again", () => {
  assert.equal(words.say("pings", { n: 2, host: "{n} $& $1" }), "2 pings to {n} $& $1");
});

test("an unknown key or value is shown rather than thrown", () => {
  assert.equal(words.say("nothing_of_the_kind"), "nothing_of_the_kind");
  assert.equal(words.say("pings", { n: 2 }), "2 pings to {host}");
  assert.equal(words.say("toString"), "toString");
});

test("what was typed can neither break the line nor turn the text round", () => {
  assert.equal(quoted("example.org"), "example.org");
  assert.equal(quoted("a\nb\0c\u202ed"), "\u2068a\ufffdb\ufffdc\ufffdd\u2069");
  assert.equal([...quoted("x".repeat(300))].length, 64);
  assert.equal(quoted("서울.example"), "\u2068서울.example\u2069");
  assert.equal(quoted(undefined), "");
});

const CONFIG = { default_host: "8.8.8.8", default_count: 5, default_interval: 1, default_timeout: 2, max_count: 100 };
const TYPED = { host: "8.8.8.8", count: "5", interval: "1.0", timeout: "2", family: "auto" };

test("untouched defaults are sent as the bare event", () => {
  assert.deepEqual(request(TYPED, CONFIG), { event: "my_event" });
});

test("only what differs is sent", () => {
  const typed = { ...TYPED, host: " 127.0.0.1 ", count: "20", family: "6" };
  assert.deepEqual(request(typed, CONFIG), { event: "my_event", host: "127.0.0.1", count: 20, family: "6" });
  assert.deepEqual(request({ ...TYPED, interval: "0.2" }, CONFIG), { event: "my_event", interval: 0.2 });
});

test("a number that cannot be read goes to the server to be refused", () => {
  assert.deepEqual(request({ ...TYPED, count: "" }, CONFIG), { event: "my_event", count: null });
  assert.deepEqual(request({ ...TYPED, timeout: "abc" }, CONFIG), { event: "my_event", timeout: null });
  assert.deepEqual(request({ ...TYPED, host: "" }, CONFIG), { event: "my_event", host: "" });
});

test("a problem is said beside the field it is about, by its reason where there are words for it", () => {
  const said = (problem) => explain(problem, words, CONFIG);
  assert.deepEqual(said({ code: "bad_host", reason: "empty" }), { text: "Type a host.", field: "host" });
  assert.deepEqual(said({ code: "bad_host", reason: "label", host: "x" }), { text: '"x" is not a host.', field: "host" });
  assert.deepEqual(said({ code: "bad_value", reason: "count" }), { text: "1 to 100.", field: "count" });
  assert.deepEqual(said({ code: "too_fast", retry_after: 2.2 }), { text: "Again in 3 s.", field: null });
});

test("a code without words falls back to the message of the server", () => {
  assert.equal(explain({ code: "novel", message: "In English." }, words, CONFIG).text, "In English.");
  assert.equal(explain({ code: "novel" }, words, CONFIG).text, "novel");
});
