/** The list of incidents: times by the reader's clock, lengths that go on, news as they are recorded. */

import { Words } from "../words.js";
import { keepFresh } from "./fresh.js";

const read = (id) => JSON.parse(document.getElementById(id).textContent);
keepFresh(new Words(read("words"), document.documentElement.lang), read("config"));
