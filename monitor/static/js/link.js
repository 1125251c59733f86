/** A WebSocket that comes back by itself. */

import { pause } from "./backoff.js";

const PATIENCE = 10_000; // for a connection that neither opens nor fails
const STEADY = 5_000; // open for so long, it counts as good, and the back-off begins anew

/**
 * Keeps one socket to `url` open. `onchange(link)` follows every change of `link.phase`:
 * "connecting", "open" or "waiting" (until the moment `link.until`); `link.lostAt` is when an open
 * connection broke, or the first try failed. `onmessage(object)` gets every JSON object that arrives.
 */
export class Link {
  constructor({ url, onchange, onmessage, open = (address) => new WebSocket(address) }) {
    Object.assign(this, { url, onchange, onmessage, open });
    this.attempt = 0;
    this.everOpen = false;
    this.lostAt = null;
    this.heardAt = 0;
  }

  /** Connect now; a socket that is open or on its way is left alone. */
  connect() {
    if (this.phase === "open" || this.phase === "connecting") return;
    clearTimeout(this.timer);
    const socket = this.open(this.url);
    this.socket = socket;
    socket.onopen = () => this.#opened();
    socket.onclose = () => this.#closed(socket);
    socket.onmessage = ({ data }) => this.#hear(data);
    this.timer = setTimeout(() => this.restart(), PATIENCE);
    this.#enter("connecting");
  }

  /** Send an object as JSON; returns whether there was a connection to send it by. */
  send(message) {
    if (this.phase !== "open") return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  /** Give up a connection that has fallen silent. Its own close may take minutes to be noticed. */
  restart() {
    const { socket } = this;
    socket.onclose = socket.onmessage = socket.onopen = null;
    socket.close();
    this.#closed(socket);
  }

  #opened() {
    clearTimeout(this.timer);
    this.everOpen = true;
    this.lostAt = null;
    this.openedAt = this.heardAt = Date.now();
    this.#enter("open");
  }

  #closed(socket) {
    if (socket !== this.socket) return;
    clearTimeout(this.timer);
    if (this.phase === "open" && Date.now() - this.openedAt > STEADY) this.attempt = 0;
    this.lostAt ??= Date.now();
    const wait = pause(this.attempt++);
    this.until = Date.now() + wait;
    this.timer = setTimeout(() => this.connect(), wait);
    this.#enter("waiting");
  }

  #hear(data) {
    this.heardAt = Date.now();
    const message = parse(data);
    if (message) this.onmessage(message);
  }

  #enter(phase) {
    this.phase = phase;
    this.onchange(this);
  }
}

function parse(data) {
  try {
    const message = JSON.parse(data);
    return message && typeof message === "object" ? message : null;
  } catch {
    return null;
  }
}
