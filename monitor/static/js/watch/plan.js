/** A new form begins with the reader's own time zone; what was typed already, before coming back, stays. */

import { findOwn } from "./zones.js";

const field = document.querySelector("#id_zone");
if (field.value === field.defaultValue) field.value = findOwn() ?? field.value;
