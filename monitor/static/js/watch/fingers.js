/** Fingers on a chart: one draws it through time, two bring it closer. */

const SLACK = 6; // pixels that a finger may tremble while it only points
const SHORTEST = 10_000; // ms that two fingers can spread over the chart

/**
 * {since, until} that has under each finger the moment that it holds. `grips` are [{moment, at}], `at` from 0 (the left
 * edge) to 1; of more than two the first two count.
 */
export function hold([one, other], { since, until }) {
  const apart = other ? other.at - one.at : 0;
  // Fingers beside or past one another would stretch the chart to infinity, or turn it round.
  const fits = Math.abs(apart) > 0.02 && (other.moment - one.moment) / apart > 0;
  const span = fits ? Math.max(SHORTEST, (other.moment - one.moment) / apart) : until - since;
  const begin = one.moment - one.at * span;
  return { since: begin, until: begin + span };
}

/**
 * Let fingers on `box` move what `area()` shows. `view()` is the {since, until} in it, `show` changes that as they move,
 * `done(before, after)` is called when the last is lifted. `busy` of what is returned says whether there are any.
 */
export function followFingers(box, { area, view, show, done }) {
  const grips = new Map();
  let moved = false;
  let before = null;

  box.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch" || !view()) return;
    if (!grips.size) [before, moved] = [{ ...view() }, false];
    grips.set(event.pointerId, { at: placeOf(event), from: event.clientX });
    grasp();
  });
  box.addEventListener("pointermove", (event) => {
    const grip = grips.get(event.pointerId);
    if (!grip) return;
    grip.at = placeOf(event);
    moved ||= grips.size > 1 || Math.abs(event.clientX - grip.from) > SLACK;
    if (!moved) return;
    const { since, until } = hold([...grips.values()], view());
    show(since, until);
  });
  box.addEventListener("pointerup", ({ pointerId }) => {
    if (!grips.delete(pointerId)) return;
    if (grips.size) grasp();
    else if (moved) done(before, view());
  });
  // The browser takes the finger to scroll the page.
  box.addEventListener("pointercancel", ({ pointerId }) => {
    if (!grips.delete(pointerId)) return;
    grips.clear();
    show(before.since, before.until);
  });

  return {
    get busy() {
      return grips.size > 0;
    },
  };

  function placeOf({ clientX }) {
    const { left, width } = area().getBoundingClientRect();
    return (clientX - left) / width;
  }

  function grasp() {
    const { since, until } = view();
    for (const grip of grips.values()) grip.moment = since + grip.at * (until - since);
  }
}
