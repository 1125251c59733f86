/** Parts of a page, as the server writes them now. */

const PATIENCE = 20_000;
const SPREAD = 1_000; // many pages are told at once
const AGAIN = 10_000; // after a failure, or where somebody was at that part

/**
 * Fetches the page again when asked: once for many who ask, one page at a time, and not before somebody sees it.
 * `show(page)` gets it, or null where it cannot be had, and returns whether that is all.
 */
export class Renewal {
  constructor(show) {
    this.show = show;
    this.due = this.looking = false;
    this.timer = null;
    document.addEventListener("visibilitychange", () => this.due && this.#lookSoon());
  }

  /** The page may be another than it was. */
  ask() {
    this.due = true;
    this.#lookSoon();
  }

  /** Fetch it now, unless that is under way: an older page must not come after a newer one. */
  async look() {
    if (this.looking) return this.ask();
    clearTimeout(this.timer);
    this.timer = null;
    this.due = false;
    this.looking = true;
    const page = await fetchPage();
    this.looking = false;
    const shown = this.show(page);
    if (!shown) this.due = true;
    if (this.due) this.#lookSoon(shown ? undefined : AGAIN);
  }

  #lookSoon(wait = SPREAD * Math.random()) {
    if (!document.hidden && !this.looking) this.timer ??= setTimeout(() => this.look(), wait);
  }
}

/** Put a part of another page here; not under the focus, nor while somebody has opened a part of it. Whether it was. */
export function replacePart(id, page) {
  const [old, fresh] = [document, page].map((each) => each.getElementById(id));
  if (!old || !fresh || old.contains(document.activeElement) || old.querySelector("details[open]")) return false;
  old.replaceChildren(...fresh.childNodes);
  Object.assign(old.dataset, fresh.dataset);
  return true;
}

async function fetchPage() {
  try {
    const response = await fetch(location.href, { credentials: "same-origin", signal: AbortSignal.timeout(PATIENCE) });
    if (!response.ok || response.redirected) return null;
    return new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    return null;
  }
}
