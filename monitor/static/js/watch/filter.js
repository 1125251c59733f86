/** Which hosts a person wants to see. */

export const ALL = Object.freeze({ query: "", tone: "", tag: "" });

/** Whether a host fits: every word of the query somewhere in it, its state, its tag. */
export function fits(host, { query, tone, tag }) {
  if (tone && host.tone !== tone) return false;
  if (tag && !host.tags.includes(tag)) return false;
  if (!query) return true;
  const text = [host.name, host.host, host.address, host.group, ...host.tags].join("\n").toLowerCase();
  return query.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** A filter from and to the query of an address. */
export function fromSearch(search) {
  const given = new URLSearchParams(search);
  return { query: given.get("q") ?? "", tone: given.get("state") ?? "", tag: given.get("tag") ?? "" };
}

export function toSearch({ query, tone, tag }) {
  const given = Object.entries({ q: query, state: tone, tag }).filter(([, value]) => value);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}
