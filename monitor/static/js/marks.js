/** What the chart draws beside its line: lost pings, pings not sent, stretches away, and pings to come. */

const COLUMN = 0.56; // of the distance from one ping to the next
const WIDEST = 18;

/** Draw a mark of full height for every line that is no reply. */
export function drawLosses(u, lines, colours) {
  for (const { data1, status } of lines) {
    if (status === "not_sent") drawHatch(u, columnOf(u, data1), colours.dim);
    else if (status !== "reply") drawLoss(u, columnOf(u, data1), colours.down);
  }
}

/** Tint the stretches that were loaded after a broken connection, behind everything else. */
export function drawGaps(u, gaps, colours) {
  const { ctx, bbox } = u;
  for (const { from, to } of gaps) {
    const [left, right] = [from + 0.5, to + 1.5].map((number) => u.valToPos(number, "x", true));
    paint(ctx, () => {
      ctx.fillStyle = colours.gap;
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
      ctx.strokeStyle = colours.ghost;
      ctx.lineWidth = ratio();
      ctx.setLineDash([4 * ratio(), 4 * ratio()]);
      ctx.beginPath();
      for (const edge of [left, right]) {
        ctx.moveTo(edge, bbox.top);
        ctx.lineTo(edge, bbox.top + bbox.height);
      }
      ctx.stroke();
    });
  }
}

/** A row of hollow dots: where results will be, without claiming any value. */
export function drawGhosts(u, count, colours) {
  const { ctx, bbox } = u;
  const radius = Math.min(5, slot(u) / 4 / ratio()) * ratio();
  const top = bbox.top + bbox.height / 2;
  paint(ctx, () => {
    ctx.strokeStyle = colours.ghost;
    ctx.lineWidth = 1.5 * ratio();
    for (let number = 1; number <= count; number++) {
      ctx.beginPath();
      ctx.arc(u.valToPos(number, "x", true), top, radius, 0, 2 * Math.PI);
      ctx.stroke();
    }
  });
}

const ratio = () => globalThis.devicePixelRatio || 1;

const slot = (u) => u.valToPos(2, "x", true) - u.valToPos(1, "x", true);

function columnOf(u, data1) {
  const width = Math.min(slot(u) * COLUMN, WIDEST * ratio());
  return { left: u.valToPos(data1 + 1, "x", true) - width / 2, width };
}

function drawLoss({ ctx, bbox }, { left, width }, colour) {
  const arm = Math.min(width * 0.28, 5 * ratio());
  const [x, y] = [left + width / 2, bbox.top + 12 * ratio()];
  paint(ctx, () => {
    ctx.fillStyle = ctx.strokeStyle = colour;
    ctx.globalAlpha = 0.16;
    ctx.fillRect(left, bbox.top, width, bbox.height);
    ctx.globalAlpha = 1;
    ctx.lineWidth = Math.max(1.25, arm / 2.2);
    ctx.lineCap = "round";
    ctx.beginPath();
    ctx.moveTo(x - arm, y - arm);
    ctx.lineTo(x + arm, y + arm);
    ctx.moveTo(x + arm, y - arm);
    ctx.lineTo(x - arm, y + arm);
    ctx.stroke();
  });
}

function drawHatch({ ctx, bbox }, { left, width }, colour) {
  const apart = 7 * ratio();
  paint(ctx, () => {
    ctx.beginPath();
    ctx.rect(left, bbox.top, width, bbox.height);
    ctx.clip();
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1.25 * ratio();
    ctx.beginPath();
    for (let x = left - bbox.height; x < left + width; x += apart) {
      ctx.moveTo(x, bbox.top + bbox.height);
      ctx.lineTo(x + bbox.height, bbox.top);
    }
    ctx.stroke();
  });
}

function paint(ctx, draw) {
  ctx.save();
  draw();
  ctx.restore();
}
