/** What the smoke chart draws on its canvas: bands, losses, and what was not measured. */

import { runsOf } from "./columns.js";

export const STRIP = 16; // the strip of losses under the chart, in CSS pixels
const BANDS = [["min", "max", "faint"], ["p5", "p95", "wide"], ["p25", "p75", "middle"]];

/** Bands of each point, as blocks as wide as the time they stand for; nothing is joined or smoothed. */
export function drawBands(u, columns, width, colours) {
  clipped(u, (ctx) => {
    for (const [low, high, colour] of BANDS) {
      ctx.fillStyle = colours[colour];
      columns.t.forEach((at, place) => {
        if (columns[low][place] === null) return;
        const [left, right] = spanOf(u, at, width);
        const [top, bottom] = [high, low].map((name) => Math.round(u.valToPos(columns[name][place] / 1000, "y", true)));
        ctx.fillRect(left, top, right - left, Math.max(1, bottom - top));
      });
    }
  });
}

/** Full height: all pings lost is tinted, not measured is hatched; until `began` (ms) there is nothing to say. */
export function drawRuns(u, columns, width, colours, { began, ended }) {
  for (const { kind, from, to } of runsOf(columns)) {
    const [since, until] = [columns.t[from], columns.t[to] + width];
    if (kind === "lost") drawLost(u, since, until, colours);
    if (kind === "unmeasured") drawHatch(u, since, until, colours.dim, colours.sunken);
    if (kind === "nothing") drawHatch(u, Math.max(since, began), Math.min(until, ended), colours.ghost, colours.sunken);
  }
}

/** What the strip of losses stands on. */
export function drawGround(u, colours) {
  clipped(u, (ctx) => {
    ctx.fillStyle = colours.sunken;
    ctx.fillRect(u.bbox.left, u.bbox.top + u.bbox.height - STRIP * ratio(), u.bbox.width, STRIP * ratio());
  });
}

/** The strip of losses: height and darkness grow with the share that was lost. */
export function drawStrip(u, columns, width, colours) {
  const bottom = u.bbox.top + u.bbox.height;
  clipped(u, (ctx) => {
    ctx.fillStyle = colours.down;
    columns.t.forEach((at, place) => {
      const loss = columns.loss[place];
      if (!loss) return;
      const [left, right] = spanOf(u, at, width);
      const height = (3 + (STRIP - 3) * Math.sqrt(loss)) * ratio();
      ctx.globalAlpha = 0.45 + 0.55 * loss;
      ctx.fillRect(left, bottom - height, Math.max(ratio(), right - left), height);
    });
  });
}

/** Small marks at the upper edge, not one over the other, where a slowest ping lies above the axis. */
export function drawClipped(u, columns, width, most, colour) {
  const size = 3.5 * ratio();
  let free = -Infinity;
  clipped(u, (ctx) => {
    ctx.fillStyle = colour;
    columns.max.forEach((time, place) => {
      const middle = u.valToPos(columns.t[place] + width / 2, "x", true);
      if (time === null || time / 1000 <= most || middle < free) return;
      free = middle + 4 * size;
      ctx.beginPath();
      ctx.moveTo(middle, u.bbox.top);
      ctx.lineTo(middle - size, u.bbox.top + 1.6 * size);
      ctx.lineTo(middle + size, u.bbox.top + 1.6 * size);
      ctx.fill();
    });
  });
}

function drawLost(u, since, until, colours) {
  const [left, right] = spanOf(u, since, until - since);
  clipped(u, (ctx) => {
    ctx.fillStyle = colours.down;
    ctx.globalAlpha = 0.18;
    ctx.fillRect(left, u.bbox.top, Math.max(2 * ratio(), right - left), u.bbox.height);
  });
}

function drawHatch(u, since, until, colour, ground) {
  if (until <= since) return;
  const [left, right] = spanOf(u, since, until - since);
  const [top, height, apart] = [u.bbox.top, u.bbox.height, 8 * ratio()];
  clipped(u, (ctx) => {
    ctx.beginPath();
    ctx.rect(left, top, Math.max(ratio(), right - left), height);
    ctx.fillStyle = ground;
    ctx.fill();
    ctx.clip();
    ctx.strokeStyle = colour;
    ctx.lineWidth = ratio();
    ctx.beginPath();
    // From a fixed place, so that the lines of neighbours meet.
    for (let x = Math.floor((left - height) / apart) * apart; x < right; x += apart) {
      ctx.moveTo(x, top + height);
      ctx.lineTo(x + height, top);
    }
    ctx.stroke();
  });
}

function clipped(u, draw) {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  draw(ctx);
  ctx.restore();
}

function spanOf(u, at, width) {
  return [at, at + width].map((moment) => Math.round(u.valToPos(moment, "x", true)));
}

const ratio = () => globalThis.devicePixelRatio || 1;
