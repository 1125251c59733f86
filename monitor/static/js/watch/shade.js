/** Incidents over a chart: tinted from beginning to end, under a bar that is whole for down, broken for degraded, and
 *  dotted for maintenance. */

const BAR = 3;
const DASHES = { down: [], degraded: [5, 3], maintenance: [2, 4] };

/** Which of the incidents [{state, since, until}] a view touches, as [{state, from, to}]; open ones last until now. */
export function clip(incidents, { since, until }, now) {
  return incidents.flatMap(({ state, since: began, until: ended }) => {
    const [from, to] = [Math.max(began, since), Math.min(ended ?? now, until)];
    return from < to ? [{ state, from, to }] : [];
  });
}

/** Draw them on the canvas of uPlot. */
export function drawIncidents(u, incidents, view, colours) {
  const ratio = globalThis.devicePixelRatio || 1;
  const { ctx, bbox } = u;
  ctx.save();
  for (const { state, from, to } of clip(incidents, view, Date.now())) {
    const [left, right] = [from, to].map((moment) => Math.round(u.valToPos(moment, "x", true)));
    const wide = Math.max(2 * ratio, right - left);
    ctx.fillStyle = ctx.strokeStyle = colours[state] ?? colours.dim;
    ctx.globalAlpha = 0.12;
    ctx.fillRect(left, bbox.top, wide, bbox.height);
    ctx.globalAlpha = 1;
    ctx.lineWidth = BAR * ratio;
    ctx.setLineDash(DASHES[state].map((length) => length * ratio));
    ctx.beginPath();
    ctx.moveTo(left, bbox.top + (BAR * ratio) / 2);
    ctx.lineTo(left + wide, bbox.top + (BAR * ratio) / 2);
    ctx.stroke();
  }
  ctx.restore();
}
