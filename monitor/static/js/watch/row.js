/** A host as a row of the board, made or taken over from the server; written to only while it is on the screen. */

import { make, setText } from "../element.js";
import { milliseconds, NONE, percent } from "../figures.js";
import { sayReason } from "./reasons.js";
import { sayAge } from "./spans.js";
import { MARKS } from "./states.js";
import { KINDS, outline } from "./strip.js";
import { sayUntil } from "./times.js";

const SVG = "http://www.w3.org/2000/svg";
const FIGURES = ["now", "median", "jitter", "loss"];

export class Row {
  constructor(element, words) {
    const find = (selector) => element.querySelector(selector);
    Object.assign(this, { element, words, drawn: null, link: find("a"), address: find(".address") });
    Object.assign(this, { mark: find(".mark"), word: find(".word"), strip: find(".strip"), since: find(".since b") });
    this.figures = FIGURES.map((name) => find(`.${name} b`));
  }

  /** Write what is known of the host now (ms since 1970). */
  show(host, now) {
    const { element, words } = this;
    if (element.dataset.tone !== host.tone) element.dataset.tone = host.tone;
    setText(this.mark, MARKS[host.tone]);
    setText(this.word, words.say(`state_${host.tone}`));
    setText(this.link, host.name);
    setText(this.address, describeAddress(host, now, words));
    const times = [host.median_us, host.jitter].map((time) => unit(time, words));
    const texts = [this.#sayLast(host), ...times, sayLoss(host.loss, words)];
    this.figures.forEach((figure, place) => setText(figure, texts[place]));
    setText(this.since, host.since ? sayAge(host.since, now, words) : NONE);
    this.#draw(host.strip);
  }

  #sayLast({ last, problem }) {
    if (problem) return NONE; // it stands beside the name
    return typeof last === "string" ? sayReason(last, this.words) : unit(last);
  }

  #draw(bars) {
    if (bars === this.drawn) return;
    this.drawn = bars;
    const paths = outline(bars);
    for (const path of this.strip.children) path.setAttribute("d", paths[path.getAttribute("class")]);
  }
}

const unit = (time) => (time === null || time === undefined ? NONE : `${milliseconds(time / 1000)} ms`);

const sayLoss = (loss, words) =>
  loss === null || loss === undefined ? NONE : words.say("percent", { number: percent(loss) });

function describeAddress({ name, host, address, problem, reason, limit }, now, words) {
  if (problem) return sayReason(problem, words);
  if (reason === "until") return words.say("maintained_until", { until: sayUntil(limit, now, words.language) });
  return [address, host].find((text) => text && text !== name) ?? "";
}

/** A new row for a host of which the server wrote none. */
export function makeRow(host, words) {
  const element = make("li", "row");
  element.dataset.host = host.id;
  const state = make("span", "state");
  state.append(make("span", "mark"), " ", make("span", "word"));
  state.firstChild.setAttribute("aria-hidden", "true");
  const who = make("span", "who");
  const link = make("a");
  link.href = `/hosts/${host.slug}/`;
  who.append(link, " ", make("span", "address"));
  const cells = [...FIGURES, "since"].map((name) => makeCell(name, words));
  element.append(state, who, ...cells.slice(0, -1), makeStrip(), cells.at(-1));
  return new Row(element, words);
}

function makeCell(name, words) {
  const cell = make("span", name);
  cell.append(make("span", "unseen", words.say(`label_${name}`)), " ", make("b"));
  return cell;
}

function makeStrip() {
  const strip = document.createElementNS(SVG, "svg");
  const shape = { class: "strip", viewBox: "0 0 240 24", preserveAspectRatio: "none", "aria-hidden": "true" };
  for (const [name, value] of Object.entries(shape)) strip.setAttribute(name, value);
  for (const kind of KINDS) strip.appendChild(document.createElementNS(SVG, "path")).setAttribute("class", kind);
  return strip;
}
