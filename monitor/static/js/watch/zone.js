/** Times of a page by the reader's own zone, unless its address names one; in the address, so that a link is the same view. */

import { findOwn } from "./zones.js";

const own = findOwn();
const address = new URL(location.href);
// A page of UTC says so.
if (own && own !== "UTC" && !address.searchParams.has("zone")) {
  address.searchParams.set("zone", own);
  location.replace(address);
}
