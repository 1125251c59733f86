/** The list of incidents: times by the reader's clock, lengths that go on, news within ten seconds. */

import { Words } from "../words.js";
import { keepFresh } from "./fresh.js";

const sentences = JSON.parse(document.getElementById("words").textContent);
keepFresh(new Words(sentences, document.documentElement.lang));
