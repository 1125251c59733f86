/** A page with a run on it: connection, form and results, wired together. */

import { setText } from "./element.js";
import { dateAndTime } from "./figures.js";
import { Form, request } from "./form.js";
import { describeLink, describeLoss, showLink } from "./header.js";
import { listenForKeys } from "./keys.js";
import { Link } from "./link.js";
import { Results } from "./results.js";
import { fromRecord, isRunning, NOTHING, reduce } from "./run.js";
import { Words } from "./words.js";

const SILENCE = 5_000; // beyond interval and timeout: then the socket of a run is taken for dead
const ASK = 3_500; // before that, it is asked
const ANSWER = 3_000; // so long a Stop may take
const BEGIN = 15_000; // so long a run may take to begin or be refused
const BACK_SHOWN = 3_000;

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const find = (selector) => document.querySelector(selector);

class Page {
  constructor(config, words) {
    Object.assign(this, { config, words, title: document.title });
    Object.assign(this, { back: null, pressed: false, wasLost: false, stoppedAt: null, resumedAt: 0 });
    this.state = config.run ? fromRecord(config.run) : NOTHING;
    this.results = new Results(find("#result"), config, words);
    this.form = find("#ask") && new Form(find("#ask"), config, words);
    this.link = new Link({
      url: new URL(config.socket, location.href.replace(/^http/, "ws")).href,
      onchange: (link) => this.#linkChanged(link),
      onmessage: (message) => this.dispatch(message),
    });
  }

  start() {
    for (const time of document.querySelectorAll("main time")) {
      setText(time, dateAndTime(new Date(time.dateTime), this.words.language));
    }
    this.form?.form.addEventListener("submit", (event) => this.#ask(event));
    this.form?.form.addEventListener("input", () => this.#render());
    this.form?.stop.addEventListener("click", () => this.#stop());
    find("#try-now").addEventListener("click", () => this.link.connect());
    listenForKeys({ host: find("#host"), dialog: find("#keys"), stop: () => this.#stop() });
    for (const event of ["online", "pageshow", "focus"]) addEventListener(event, () => this.#comeBack());
    document.addEventListener("visibilitychange", () => this.#comeBack());
    setInterval(() => this.#tick(), 250);
    this.link.connect();
  }

  /** Take one event through the machine, send what it asks for, and show the result. */
  dispatch(event) {
    const before = this.state;
    this.state = reduce(before, event);
    if (this.state === before) return;
    if (this.state.resume && this.state.resume !== before.resume) this.#resume();
    if (before.away && !this.state.away) this.#welcomeBack(this.state.missed);
    this.#render();
    this.#announce(before);
  }

  #resume() {
    this.resumedAt = Date.now();
    this.link.send(this.state.resume);
  }

  #ask(event) {
    // Where no WebSocket gets through, the form posts as it would without scripts.
    if (!this.link.everOpen && this.link.phase !== "open" && this.link.attempt > 0) return;
    event.preventDefault();
    if (isRunning(this.state) || this.state.asked) return;
    const { host, count } = this.form.typed;
    this.pressed = !this.link.send(request(this.form.typed, this.config));
    if (this.pressed) return; // too early: it is kept until the connection stands
    Object.assign(this, { askedAt: Date.now(), stoppedAt: null });
    this.dispatch({ event: "asked", host: host.trim(), count: Number(count) });
  }

  #stop() {
    if (!this.form || !isRunning(this.state) || !this.link.send({ event: "stop" })) return false;
    this.stoppedAt = Date.now();
    return true;
  }

  #linkChanged(link) {
    if (link.phase === "open") this.#opened();
    if (link.phase === "waiting") this.#lost();
    this.#tick();
    this.#render();
    if (link.phase !== "connecting" && this.pressed) this.form.form.requestSubmit();
  }

  #opened() {
    if (this.wasLost && !isRunning(this.state)) this.#welcomeBack(null);
    this.wasLost = false;
    this.dispatch({ event: "opened" });
  }

  #lost() {
    if (this.link.everOpen && !this.wasLost) setText(find("#announce"), this.words.say("disconnected"));
    this.wasLost = this.link.everOpen;
    this.dispatch({ event: "lost" });
  }

  #comeBack() {
    if (this.link.phase === "waiting" && !document.hidden) this.link.connect();
  }

  #welcomeBack(missed) {
    const key = missed === null ? "back" : missed ? "back_missed" : "back_none";
    this.back = { text: this.words.say(key, { n: missed }), until: Date.now() + BACK_SHOWN };
    setText(find("#announce"), this.back.text);
  }

  #tick() {
    const now = Date.now();
    const { link } = this;
    showLink(find("#header"), describeLink(link, now), this.words);
    const loss = describeLoss(link, now);
    if (this.back && now > this.back.until) this.back = null;
    setText(find("#notice-words"), loss ? this.words.say(loss.key, loss.values) : (this.back?.text ?? ""));
    find("#notice").dataset.tone = loss ? "down" : "up";
    find("#try-now").hidden = loss?.key !== "lost_server";
    this.results.showAge(loss !== null && this.state.run !== null);
    this.#watch(now);
  }

  // A resume is also the question whether anybody is there; a connection that leaves it unanswered is dead.
  #watch(now) {
    const { link, state } = this;
    if (link.phase === "open" && state.asked && now - this.askedAt > BEGIN) link.restart();
    if (!isRunning(state) || link.phase !== "open") return;
    const silence = now - link.heardAt;
    if (this.stoppedAt && now - this.stoppedAt > ANSWER) this.dispatch({ event: "abandoned" });
    else if (silence > this.#patience()) link.restart();
    else if (silence > this.#patience() - ASK && now - this.resumedAt > ASK) this.dispatch({ event: "opened" });
  }

  #patience() {
    const timeout = this.config.run?.timeout ?? (Number(this.form.typed.timeout) || this.config.max_timeout);
    return (this.state.interval + timeout) * 1000 + SILENCE;
  }

  #render() {
    const { state, form, link } = this;
    const count = clamp(form?.count ?? state.count, this.config.max_count);
    const refused = state.problem !== null && state.problem.host === form?.host;
    const wish = { host: form?.host ?? state.host, count, refused };
    this.verdict = this.results.show(state, wish);
    const busy = isRunning(state) || state.asked !== null;
    const usable = link.phase === "open" || !link.everOpen;
    form?.show({ problem: state.problem, busy, usable, stoppable: isRunning(state) && link.phase === "open" });
    document.title = state.run ? `${this.verdict} · pingsite` : this.title;
  }

  // A summary for screen readers: how it begins, how it ends; not line by line.
  #announce(before) {
    const { run, outcome } = this.state;
    if (run !== before.run || outcome !== before.outcome) setText(find("#announce"), this.verdict);
  }
}

const clamp = (count, most) => Math.min(most, Math.max(1, Math.round(count)));

new Page(read("config"), new Words(read("words"), document.documentElement.lang)).start();
