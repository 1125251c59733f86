/** The page of an incident: the packets around it as a chart, and what is new while it goes on. */

import { Words } from "../words.js";
import { Around } from "./around.js";
import { keepFresh } from "./fresh.js";

const MARGIN = 300_000; // what is shown behind its end, as on the server
const PERIOD = 10_000;

const read = (id, page = document) => JSON.parse(page.getElementById(id).textContent);
const find = (selector) => document.querySelector(selector);

const config = read("config");
const words = new Words(read("words"), document.documentElement.lang);
const around = find("#smoke") && new Around(config, words);
around?.load();
const lasts = () => find("#fresh").dataset.open === "yes" || Date.now() < config.until + MARGIN;
// One of this server's own network is about any host.
const concerns = (hosts) => !config.host || hosts.includes(config.host);
keepFresh(words, { socket: lasts() ? config.socket : null, concerns, lasts, onfresh: renew });
if (around && config.open) setInterval(() => !document.hidden && lasts() && around.load(), PERIOD);

// The chart shades what is over no further than to its end.
function renew(page) {
  const wasOpen = config.open;
  Object.assign(config, read("config", page));
  if (wasOpen && !config.open) around?.load();
}
