/** The panel of results: verdict, progress, figures, chart, lines, links. */

import { Chart } from "./chart.js";
import { setText } from "./element.js";
import { clock, milliseconds, percent } from "./figures.js";
import { Log } from "./log.js";
import { isRunning } from "./run.js";
import { Table } from "./table.js";
import { tally } from "./tally.js";
import { judge, MARKS } from "./verdict.js";
import { quoted } from "./words.js";

export class Results {
  constructor(panel, config, words) {
    Object.assign(this, { panel, config, words, changedAt: null });
    this.chart = new Chart(this.#find("#chart"), this.#find("#readout"), words);
    this.log = new Log(this.#find("#demo"), words);
    this.table = new Table(this.#find("#table"), words);
  }

  /**
   * Show a run. `wish` is what the form would ask for: {host, count, refused}; the empty chart is drawn for it.
   * Returns the verdict as a sentence with its shape.
   */
  show(state, wish) {
    const sums = tally(state.lines);
    if (state.lines.length !== this.log.shown) this.changedAt = Date.now();
    this.log.show(state);
    this.table.show(state);
    this.chart.show(state, state.run ? state.count : wish.count);
    this.#showFigures(sums);
    this.#showProgress(state);
    this.#showSummary(state, sums);
    this.#showLinks(state);
    setText(this.#find("#address"), state.address === state.host ? "" : state.address);
    this.#find("#legend-unmeasured").hidden = !sums.notSent;
    this.#find("#legend-gap").hidden = !state.gaps.length;
    return this.#showVerdict(judge(state, sums), wish);
  }

  /** Mark the results as old, or as current; the words say as of when. */
  showAge(stale) {
    const old = stale && this.changedAt !== null;
    this.panel.classList.toggle("stale", old);
    const time = clock(this.changedAt ?? 0, this.words.language);
    setText(this.#find("#as-of"), old ? `▨ ${this.words.say("as_of", { time })}` : "");
  }

  #find(selector) {
    return this.panel.querySelector(selector);
  }

  #showVerdict({ tone, key, values, notes }, wish) {
    const verdict = this.#find("#verdict");
    verdict.dataset.tone = tone;
    setText(verdict.querySelector(".mark"), MARKS[tone]);
    const sentence = key === "empty" ? this.#invite(wish) : this.#say(key, values);
    setText(verdict.querySelector(".words"), sentence);
    setText(this.#find("#note"), notes.map((note) => this.#say(note.key, note.values)).join(" "));
    return `${MARKS[tone]} ${sentence}`.trim();
  }

  #invite({ host, count, refused }) {
    const key = refused ? "empty_refused" : count === 5 ? "empty_five" : "empty";
    return this.#say(key, { n: count, host });
  }

  #say(key, values) {
    const loss = this.words.say("percent", { number: percent(values.loss) });
    return this.words.say(key, { ...values, host: quoted(values.host), loss });
  }

  #showFigures({ loss, min, avg, max, jitter }) {
    const share = loss === null ? percent(null) : this.words.say("percent", { number: percent(loss) });
    setText(this.#find("#loss"), share);
    const times = { fastest: min, average: avg, slowest: max, jitter };
    for (const [id, time] of Object.entries(times)) {
      setText(this.#find(`#${id}`), time === null ? milliseconds(null) : `${milliseconds(time)} ms`);
    }
  }

  #showProgress({ run, lines, count, outcome }) {
    const progress = this.#find("#progress");
    this.#find("#progress-row").hidden = !run;
    progress.max = count || 1;
    progress.value = lines.length;
    progress.dataset.outcome = outcome ?? "";
    setText(this.#find("#done"), `${lines.length}/${count}`);
  }

  #showSummary(state, sums) {
    const over = state.run && !isRunning(state);
    this.#find("#summary").hidden = !over;
    if (!over) return;
    const { sent, received } = sums;
    const loss = this.words.say("percent", { number: percent(sums.loss) });
    const times = [sums.min, sums.avg, sums.max, sums.mdev].map(milliseconds).join("/");
    const counts = this.words.say("summary", { sent, received, loss });
    const spread = this.words.say("summary_times", { times, jitter: milliseconds(sums.jitter) });
    const twice = state.summary?.duplicates;
    const more = twice ? this.words.say("summary_duplicates", { n: twice }) : "";
    setText(this.#find("#summary"), [counts, received ? spread : "", more].filter(Boolean).join(" · "));
  }

  #showLinks({ run, host }) {
    const link = this.#find("#link");
    if (!link || !run) return;
    link.href = this.config.run_url.replace("__run__", run);
    const keep = this.#find("#keep");
    if (keep) keep.search = new URLSearchParams({ host });
    this.#find("#links").hidden = false;
  }
}
