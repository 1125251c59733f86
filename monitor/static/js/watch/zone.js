/** Times of a page by the reader's own zone, unless its address names one; in the address, so that a link is the same view. */

const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
const address = new URL(location.href);
// The server knows the zones that it offers, and a page of UTC says so.
const offered = [...document.querySelectorAll("#zones option")].some((option) => option.value === own);
if (own !== "UTC" && offered && !address.searchParams.has("zone")) {
  address.searchParams.set("zone", own);
  location.replace(address);
}
