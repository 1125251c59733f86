/** The messages: their times by the reader's clock. */

import { localize } from "./moments.js";

localize(document.querySelector("main"), document.documentElement.lang);
