/** The reader's own time zone, as the page of a form knows it. */

/** Its name; null where the server does not offer it. */
export function findOwn() {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return [...document.querySelectorAll("#zones option")].some((option) => option.value === own) ? own : null;
}
