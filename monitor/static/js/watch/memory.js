/** What a browser remembers of a person's choice. */

/** Keep it; where a browser keeps nothing, it is asked for anew each time. */
export function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // Then it holds as long as the page.
  }
}

/** What was kept, or null. */
export function recall(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}
