/** Parts of a page that are fetched again when the socket says that they are others, and now and then where none does. */

import { setText } from "../element.js";
import { clock } from "../figures.js";
import { Link } from "../link.js";
import { goOn, localize } from "./moments.js";

const PERIOD = 10_000;
const LIVE_PERIOD = 30_000; // the socket tells of incidents, but not of who was told of them
const SPREAD = 1_000; // a storm is told to many pages at once

/** Keep `#fresh`, and `#told` where there is one, as the server has them now, as long as `lasts()`, and whenever something
 * happened to hosts that it `concerns`; strangers have no `socket`. `onfresh` gets every page that was fetched. */
export function keepFresh(words, { socket, concerns = () => true, lasts = () => true, onfresh = () => {} }) {
  const find = (selector) => document.querySelector(selector);
  let heardAt = Date.now();
  let soon = null;
  const link = socket && follow(socket, (hosts) => !soon && (!hosts || concerns(hosts)) && lookSoon());
  const show = () => {
    localize(document.querySelector("main"), words.language);
    goOn(document, words, Date.now());
  };
  show();
  setInterval(() => goOn(document, words, Date.now()), 1000);
  setInterval(() => Date.now() - heardAt > (link?.phase === "open" ? LIVE_PERIOD : 0) && look(), PERIOD);
  addEventListener("focus", look);
  link?.connect();

  function lookSoon() {
    soon = setTimeout(look, SPREAD * Math.random());
  }

  async function look() {
    soon = null;
    if (document.hidden || !lasts()) return;
    const text = await fetchText();
    if (text === null) return complain();
    heardAt = Date.now();
    setText(find("#notice"), "");
    find("#fresh").classList.remove("stale");
    const page = new DOMParser().parseFromString(text, "text/html");
    for (const id of ["fresh", "told"]) replace(document.getElementById(id), page.getElementById(id));
    show();
    onfresh(page);
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
  function replace(old, fresh) {
    if (!old || !fresh || old.contains(document.activeElement) || old.querySelector("details[open]")) return;
    old.replaceChildren(...fresh.childNodes);
    Object.assign(old.dataset, fresh.dataset);
  }
}

/** A link that tells of hosts whose incidents changed, and of null where some may have been missed. */
function follow(socket, ontold) {
  return new Link({
    url: new URL(socket, location.href.replace(/^http/, "ws")).href,
    onchange: (link) => link.send({ event: "subscribe", hosts: [], lines: null, faster: false, incidents: true }),
    onmessage: ({ event, hosts }) => {
      if (event === "incidents") ontold(hosts);
      if (event === "subscribed") ontold(null);
    },
  });
}
