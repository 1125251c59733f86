/** What the board and a host's page have in common: the connection, how old the newest is, how many look, keys. */

import { setText } from "../element.js";
import { clock } from "../figures.js";
import { describeLink, describeLoss, showLink, showOpen } from "../header.js";
import { listenForKeys } from "../keys.js";
import { Link } from "../link.js";

const QUIET = 12_000; // a watcher that lives says something every five seconds
const SLOW = 2_500; // it says something at once to whoever begins to look
const BACK_SHOWN = 3_000;

const find = (selector) => document.querySelector(selector);

export class Station {
  /**
   * `wish()` is what to subscribe to; `onmessage` gets what the watcher says, `onsubscribed` a good moment to fetch,
   * `onincidents` the ids of hosts whose incidents changed;
   * `stale(bool)` follows whether what is shown is old, `newest()` is of when it is as long as the watcher has not spoken
   * (ms since 1970, or null), `patience` is how long (ms) it may say nothing; `field` and `stop` are those of the keys.
   */
  constructor({ config, words, field = null, stop = () => false, newest = () => null, patience = QUIET, ...told }) {
    const { wish, onmessage, onsubscribed, onincidents = () => {}, stale } = told;
    Object.assign(this, { words, wish, onmessage, onsubscribed, onincidents, stale, newest, patience });
    Object.assign(this, { heardAt: Date.now(), newestAt: null, lost: false, backUntil: 0, refused: null });
    this.link = new Link({
      url: new URL(config.socket, location.href.replace(/^http/, "ws")).href,
      onchange: (link) => this.#changed(link),
      onmessage: (message) => this.#hear(message),
    });
    listenForKeys({ host: field, dialog: find("#keys"), stop });
  }

  start() {
    find("#try-now").addEventListener("click", () => this.link.connect());
    for (const event of ["online", "pageshow", "focus"]) addEventListener(event, () => this.#comeBack());
    document.addEventListener("visibilitychange", () => this.#comeBack());
    setInterval(() => this.#tick(), 500);
    this.link.connect();
  }

  /** Subscribe to what is wished now. */
  subscribe() {
    this.link.send({ event: "subscribe", ...this.wish() });
  }

  #changed(link) {
    if (link.phase === "open") {
      if (this.lost) this.backUntil = Date.now() + BACK_SHOWN;
      this.lost = false;
      this.heardAt = Date.now();
      this.subscribe();
    }
    if (link.phase === "waiting" && link.everOpen && !this.lost) {
      this.lost = true;
      setText(find("#announce"), this.words.say("disconnected"));
    }
    this.#tick();
  }

  #hear(message) {
    if (message.event === "error") this.refused = message;
    if (message.event === "looking") this.#showLooking(message.number);
    if (message.event === "incidents") this.#hearIncidents(message);
    if (message.event === "subscribed") this.onsubscribed(message);
    if (message.event === "hosts" || message.event === "line") {
      this.heardAt = Date.now();
      this.newestAt = message.at ?? message.t;
      if (message.figures) this.#showFigures(message.figures);
      this.onmessage(message);
    }
  }

  #hearIncidents({ hosts, open }) {
    showOpen(open);
    this.onincidents(hosts);
  }

  #showLooking(number) {
    const looking = find("#looking");
    setText(looking.querySelector(".words"), this.words.say("short_looking", { n: number }));
    looking.dataset.number = number;
    looking.title = this.words.say("looking", { n: number });
  }

  #showFigures({ late_us, waiting, work }) {
    this.#showWork(work);
    const text = late_us === null ? "" : this.words.say("lately", { late: (late_us / 1000).toFixed(1), waiting });
    setText(find("#watcher"), text);
  }

  // What takes the watcher long, beside its pings: nothing most of the time.
  #showWork(work) {
    const [name, done, total] = work ?? [];
    const element = find("#work");
    element.hidden = !work;
    if (!work) return;
    const share = Math.min(1, done / Math.max(1, total));
    const number = this.words.say("percent", { number: Math.floor(100 * share) });
    const text = this.words.say("working", { work: this.words.say(`work_${name}`), share: number });
    element.querySelector("progress").value = share;
    element.querySelector("progress").ariaLabel = text;
    element.title = text;
    setText(element.querySelector(".words"), text);
  }

  #comeBack() {
    if (this.link.phase === "waiting" && !document.hidden) this.link.connect();
  }

  #tick() {
    const now = Date.now();
    const { link, words } = this;
    showLink(find("#header"), describeLink(link, now), words);
    const loss = describeLoss(link, now);
    const silent = !loss && link.phase === "open" && now - this.heardAt > this.patience;
    const newest = this.newestAt ?? this.newest();
    const time = newest && clock(newest, words.language);
    const { text, tone } = this.#describe({ loss, silent, time, now });
    setText(find("#notice-words"), text);
    find("#notice").dataset.tone = tone;
    find("#try-now").hidden = loss?.key !== "lost_server";
    setText(find("#as-of"), time && (loss || silent) ? `▨ ${words.say("as_of", { time })} ` : "");
    this.stale(Boolean(loss || silent));
  }

  #describe({ loss, silent, time, now }) {
    const { words, link } = this;
    if (this.refused) return { text: words.say("not_allowed_board"), tone: "down" };
    if (loss) return { text: words.say(loss.key, loss.values), tone: "down" };
    if (silent) return { text: words.say(time ? "silent" : "silent_ever", { time }), tone: "down" };
    if (now < this.backUntil) return { text: words.say("back"), tone: "up" };
    const waiting = !this.newestAt && link.phase === "open" && now - this.heardAt > SLOW && this.patience < Infinity;
    return { text: this.newestAt ? words.say("as_of", { time }) : waiting ? words.say("waiting") : "", tone: "quiet" };
  }
}
