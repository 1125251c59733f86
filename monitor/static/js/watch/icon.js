/** The icon of the tab, which is that of the worst state. */

const NAMES = { up: "up", degraded: "degraded", down: "down" };
/** Where the icon of a state is. */
export const iconOf = (tone) => new URL(`icons/${NAMES[tone] ?? "unknown"}.svg`, root());

// The icon stands beside the other static files, whose folder has their version in its name.
const root = () => {
  const { dataset, href } = document.querySelector("link[rel=icon]");
  dataset.root ??= new URL(".", href).href;
  return dataset.root;
};

/** Have the icon of the tab be that of a state; of any other than up, degraded and down it is "unknown". */
export function showIcon(tone) {
  const link = document.querySelector("link[rel=icon]");
  const { href } = iconOf(tone);
  if (link.href !== href) link.href = href;
}

/** The worst of the tones that are counted, as an icon: paused hosts and new ones have none. */
export const worstOf = (counts) => ["down", "degraded", "not_measured", "up"].find((tone) => counts[tone]) ?? "starting";
