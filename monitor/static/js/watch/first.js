/** The empty board: only the connection and how many look; the first host that appears brings the real one. */

import { Words } from "../words.js";
import { Station } from "./station.js";

const field = document.querySelector("#lines");
let sent = false;
addEventListener("submit", () => (sent = true));
/** Whether it would take somebody's lines away, or them from the page that comes after these. */
const disturbs = () => sent || field?.value.trim();
const read = (id) => JSON.parse(document.getElementById(id).textContent);

new Station({
  config: read("config"),
  words: new Words(read("words"), document.documentElement.lang),
  patience: Infinity, // there is nothing to say of no hosts
  field,
  wish: () => ({ hosts: "all", lines: null, faster: false }),
  onmessage: ({ rows }) => rows?.length && !disturbs() && location.reload(),
  onsubscribed: () => {},
  stale: () => {},
}).start();
