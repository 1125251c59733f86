/** Parts of a page that are fetched again when the socket says that they are others, and now and then where none does. */

import { setText } from "../element.js";
import { clock } from "../figures.js";
import { Link } from "../link.js";
import { goOn, localize } from "./moments.js";
import { Renewal, replacePart } from "./part.js";

const PERIOD = 10_000;
const LIVE_PERIOD = 30_000; // where the socket says nothing either

/** Keep `#fresh`, and `#told` where there is one, as the server has them now, as long as `lasts()`, and whenever something
 * happened to hosts that it `concerns`; strangers have no `socket`. `onfresh` gets every page that was fetched. */
export function keepFresh(words, { socket, concerns = () => true, lasts = () => true, onfresh = () => {} }) {
  const find = (selector) => document.querySelector(selector);
  let heardAt = Date.now();
  const renewal = new Renewal((page) => (page ? take(page) : complain()));
  const link = socket && follow(socket, (hosts) => lasts() && (!hosts || concerns(hosts)) && renewal.ask());
  const show = () => {
    localize(document.querySelector("main"), words.language);
    goOn(document, words, Date.now());
  };
  show();
  setInterval(() => goOn(document, words, Date.now()), 1000);
  setInterval(() => Date.now() - heardAt > (link?.phase === "open" ? LIVE_PERIOD : 0) && look(), PERIOD);
  addEventListener("focus", look);
  link?.connect();

  function look() {
    if (!document.hidden && lasts()) renewal.look();
  }

  function take(page) {
    heardAt = Date.now();
    setText(find("#notice"), "");
    find("#fresh").classList.remove("stale");
    for (const id of ["fresh", "told"]) replacePart(id, page);
    show();
    onfresh(page);
    return true;
  }

  function complain() {
    const notice = find("#notice");
    notice.dataset.tone = "down";
    setText(notice, words.say("still", { time: clock(new Date(heardAt), words.language) }));
    find("#fresh").classList.add("stale");
    return false;
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
