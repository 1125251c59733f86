/** The page of rules: what they would have found is drawn over the chart; a long trial says that it is under way. */

import { setText } from "../element.js";
import { Words } from "../words.js";
import { Around } from "./around.js";
import { localize } from "./moments.js";

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const find = (selector) => document.querySelector(selector);

const config = read("config");
const words = new Words(read("words"), document.documentElement.lang);
localize(find("main"), words.language);
if (config) new Around(config, words).load();
find(".rules").addEventListener("submit", ({ submitter }) => {
  if (submitter?.value === "try" || submitter?.name === "after") setText(find("#trying"), `◌ ${words.say("trying")}`);
});
