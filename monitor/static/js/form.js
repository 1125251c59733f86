/** The form: what is asked for, in the fewest fields, and what was wrong with it. */

import { setText } from "./element.js";
import { quoted } from "./words.js";

const NUMBERS = ["count", "interval", "timeout"];
const IN_HOST = new Set(["bad_host", "unknown_host", "name_timeout", "no_family", "not_allowed", "host_busy"]);

/** The message for what was typed: only what differs from the defaults is sent. */
export function request(typed, config) {
  const message = { event: "my_event" };
  const host = typed.host.trim();
  if (host !== config.default_host) message.host = host;
  for (const name of NUMBERS) {
    // An unreadable number goes as null and comes back as a refusal that names the field.
    const value = typed[name].trim() === "" ? null : Number(typed[name]);
    if (value !== config[`default_${name}`]) message[name] = Number.isNaN(value) ? null : value;
  }
  if (typed.family !== "auto") message.family = typed.family;
  return message;
}

/** {text, field}: the sentence for a problem, and the field it is about, if it is about one. */
export function explain(problem, words, limits) {
  const { code, reason, message, retry_after } = problem;
  const values = { ...limits, host: quoted(problem.host), s: Math.max(1, Math.ceil(retry_after ?? 1)) };
  const key = [`${code}_${reason}`, code].find((each) => words.has(each));
  const field = code === "bad_value" ? reason : IN_HOST.has(code) ? "host" : null;
  return { text: key ? words.say(key, values) : (message ?? code), field };
}

export class Form {
  constructor(form, config, words) {
    Object.assign(this, { form, config, words, shown: null });
    this.problem = form.querySelector("#problem");
    this.options = form.querySelector("#options");
    this.submit = form.querySelector("#checkbutton");
    this.stop = form.querySelector("#stop");
    form.noValidate = true; // a field that is folded away could not show the browser's own bubble
  }

  get typed() {
    return Object.fromEntries(new FormData(this.form));
  }

  /** The host as typed, or the default while the field is empty. */
  get host() {
    return this.typed.host.trim() || this.config.default_host;
  }

  get count() {
    return Number(this.typed.count) || this.config.default_count;
  }

  show({ problem, busy, stoppable, usable }) {
    this.submit.disabled = busy || !usable;
    setText(this.submit, this.words.say(busy ? "loading" : "submit"));
    this.stop.disabled = !stoppable;
    setText(this.form.querySelector("#chosen"), this.#chosen());
    if (problem !== this.shown) this.#showProblem(problem);
  }

  #chosen() {
    const { count, interval, timeout, family } = this.typed;
    const values = { n: Number(count), interval: Number(interval), timeout: Number(timeout) };
    return this.words.say(family === "auto" ? "chosen" : `chosen_${family}`, values);
  }

  #showProblem(problem) {
    this.shown = problem;
    for (const wrong of this.form.querySelectorAll("[aria-invalid]")) wrong.removeAttribute("aria-invalid");
    const { text, field } = problem ? explain(problem, this.words, this.config) : { text: "", field: null };
    setText(this.problem, text && `✕ ${text}`);
    const element = field && this.form.elements.namedItem(field);
    if (element) this.#pointAt(element);
  }

  #pointAt(element) {
    if (this.options.contains(element)) this.options.open = true;
    element.setAttribute("aria-invalid", "true");
    element.focus();
    element.select?.();
  }
}
