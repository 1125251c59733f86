/** Parts of a page, as the server writes them now. */

const PATIENCE = 20_000;

/** The page as it is now, or null where it cannot be had. */
export async function fetchPage() {
  try {
    const response = await fetch(location.href, { credentials: "same-origin", signal: AbortSignal.timeout(PATIENCE) });
    if (!response.ok || response.redirected) return null;
    return new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    return null;
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
