/** A part of a page that is fetched again while somebody looks, so that it needs no socket of its own. */

import { setText } from "../element.js";
import { clock } from "../figures.js";
import { goOn, localize } from "./moments.js";

const PERIOD = 10_000;

/** Keep `#fresh` as the server has it now, as long as `lasts()`; `onfresh` hears of each time that it is new. */
export function keepFresh(words, { lasts = () => true, onfresh = () => {} } = {}) {
  const find = (selector) => document.querySelector(selector);
  let heardAt = Date.now();
  const show = () => {
    localize(document.querySelector("main"), words.language);
    goOn(document, words, Date.now());
  };
  show();
  setInterval(() => goOn(document, words, Date.now()), 1000);
  setInterval(look, PERIOD);
  addEventListener("focus", look);

  async function look() {
    if (document.hidden || !lasts()) return;
    const text = await fetchText();
    if (text === null) return complain();
    heardAt = Date.now();
    setText(find("#notice"), "");
    find("#fresh").classList.remove("stale");
    replace(new DOMParser().parseFromString(text, "text/html").querySelector("#fresh"));
  }

  async function fetchText() {
    try {
      const response = await fetch(location.href, { credentials: "same-origin" });
      return response.ok && !response.redirected ? await response.text() : null;
    } catch {
      return null;
    }
  }

  function complain() {
    const notice = find("#notice");
    notice.dataset.tone = "down";
    setText(notice, words.say("still", { time: clock(new Date(heardAt), words.language) }));
    find("#fresh").classList.add("stale");
  }

  // Not under the focus, nor while somebody has opened a part of it.
  function replace(fresh) {
    const old = find("#fresh");
    if (!fresh || old.contains(document.activeElement) || old.querySelector("details[open]")) return;
    old.replaceChildren(...fresh.childNodes);
    Object.assign(old.dataset, fresh.dataset);
    show();
    onfresh();
  }
}
