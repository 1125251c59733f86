/** The empty board: only the connection and how many look; the first host that appears brings the real one. */

import { Words } from "../words.js";
import { Station } from "./station.js";

const read = (id) => JSON.parse(document.getElementById(id).textContent);

new Station({
  config: read("config"),
  words: new Words(read("words"), document.documentElement.lang),
  patience: Infinity, // there is nothing to say of no hosts
  field: document.querySelector("#lines"),
  wish: () => ({ hosts: "all", lines: null, faster: false }),
  onmessage: ({ rows }) => rows?.length && location.reload(),
  onsubscribed: () => {},
  stale: () => {},
}).start();
