import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { describeLink, describeLoss } from "../../monitor/static/js/header.js";
import { Link } from "../../monitor/static/js/link.js";

class Socket {
  sent = [];
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.closed = true;
  }
}

function make(t) {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  t.after(() => mock.timers.reset());
  const sockets = [];
  const heard = [];
  const open = () => sockets[sockets.push(new Socket()) - 1];
  const link = new Link({ url: "ws://h/", onchange: () => {}, onmessage: (message) => heard.push(message), open });
  link.connect();
  return { link, sockets, heard };
}

test("a broken connection comes back by itself, slower each time", (t) => {
  const { link, sockets } = make(t);
  assert.equal(link.phase, "connecting");
  const waits = [];
  for (let i = 0; i < 6; i++) {
    sockets.at(-1).onclose();
    assert.equal(link.phase, "waiting");
    waits.push(link.until - Date.now());
    mock.timers.tick(waits.at(-1));
    assert.equal(sockets.length, i + 2);
  }
  assert.equal(waits[0], 500);
  assert.ok(waits[5] >= 5000);
});

test("a connection that held makes the next pause short again, one that flapped does not", (t) => {
  const { link, sockets } = make(t);
  for (let i = 0; i < 4; i++) {
    sockets.at(-1).onclose();
    mock.timers.tick(10_000);
  }
  sockets.at(-1).onopen();
  sockets.at(-1).onclose();
  assert.ok(link.until - Date.now() > 1000);
  mock.timers.tick(10_000);
  sockets.at(-1).onopen();
  mock.timers.tick(6000);
  sockets.at(-1).onclose();
  assert.equal(link.until - Date.now(), 500);
});

test("trying now opens one socket, not two", (t) => {
  const { link, sockets } = make(t);
  sockets[0].onclose();
  link.connect();
  link.connect();
  mock.timers.tick(5000);
  assert.equal(sockets.length, 2);
});

test("a connection that has fallen silent is given up, and its late close is nobody's", (t) => {
  const { link, sockets } = make(t);
  sockets[0].onopen();
  link.restart();
  assert.equal(link.phase, "waiting");
  assert.equal(sockets[0].closed, true);
  assert.equal(sockets[0].onclose, null);
});

test("a connection that never opens is given up after ten seconds", (t) => {
  const { link, sockets } = make(t);
  mock.timers.tick(10_000);
  assert.equal(link.phase, "waiting");
  assert.equal(sockets[0].closed, true);
});

test("nothing is sent while there is no connection, and whoever asks learns it", (t) => {
  const { link, sockets } = make(t);
  assert.equal(link.send({ event: "stop" }), false);
  sockets[0].onopen();
  assert.equal(link.send({ event: "stop" }), true);
  assert.deepEqual(sockets[0].sent, [{ event: "stop" }]);
});

test("what is no JSON object is dropped", (t) => {
  const { sockets, heard } = make(t);
  sockets[0].onopen();
  for (const data of ["", "{", "1", "null", '"x"', '{"event":"started"}']) sockets[0].onmessage({ data });
  assert.deepEqual(heard, [{ event: "started" }]);
});

test("the header says connecting, connected, disconnected, then counts", () => {
  const at = (link, now = 10_000) => describeLink({ lostAt: null, until: 0, ...link }, now).key;
  assert.equal(at({ phase: "connecting" }), "connecting");
  assert.equal(at({ phase: "open" }), "connected");
  assert.equal(at({ phase: "waiting", lostAt: 9_000, until: 10_400 }), "disconnected");
  assert.equal(at({ phase: "connecting", lostAt: 9_000 }), "disconnected");
  const late = describeLink({ phase: "waiting", lostAt: 0, until: 13_200 }, 10_000);
  assert.deepEqual([late.key, late.values.s], ["reconnecting", 4]);
});

test("there is a notice only while the server is lost", () => {
  assert.equal(describeLoss({ phase: "open", lostAt: null }, 0), null);
  assert.equal(describeLoss({ phase: "connecting", lostAt: null }, 0), null);
  assert.deepEqual(describeLoss({ phase: "waiting", lostAt: 1, until: 4000 }, 100), { key: "lost_server", values: { s: 4 } });
  assert.equal(describeLoss({ phase: "connecting", lostAt: 1 }, 100).key, "lost_server_trying");
});
