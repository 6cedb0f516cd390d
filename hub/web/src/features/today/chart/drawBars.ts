// Draws the day's stacked bars into a uPlot canvas: used energy upwards from zero, given energy downwards.
import type uPlot from "uplot";
import type { Part, Slot } from "./bars";
import { fill, outline } from "./patterns";

const UP: readonly Part[] = ["own", "bought", "utility", "open"];
const DOWN: readonly Part[] = ["sold", "utility", "open"];
const WIDEST_BAR_CSS = 56;

type Fills = Record<Part, CanvasPattern | string>;
type Painter = { pen: CanvasRenderingContext2D; fills: Fills; pixel: number };

function fillsFor(pen: CanvasRenderingContext2D, pixel: number, running: boolean): Fills {
  const parts: Part[] = ["own", "bought", "sold", "utility", "open"];
  return Object.fromEntries(parts.map((part) => [part, fill(pen, part, pixel, running)])) as Fills;
}

function box(
  { pen, fills, pixel }: Painter,
  part: Part,
  x: number,
  width: number,
  y1: number,
  y2: number,
): void {
  const [top, height] = [Math.min(y1, y2), Math.abs(y2 - y1)];
  if (height < 0.5) return;
  pen.fillStyle = fills[part];
  pen.fillRect(x, top, width, height);
  pen.strokeStyle = outline(part);
  pen.lineWidth = pixel;
  if (width > 4 * pixel)
    pen.strokeRect(x + pixel / 2, top + pixel / 2, width - pixel, Math.max(0, height - pixel));
}

/** Where a slot's bar stands, in canvas pixels. */
export function barSpan(plot: uPlot, slot: Slot, pixel: number): { x: number; width: number } {
  const left = plot.valToPos(slot.startS, "x", true);
  const right = plot.valToPos(slot.endS, "x", true);
  const gap = Math.min(2 * pixel, (right - left) * 0.15);
  const width = Math.max(1, Math.min(right - left - gap, WIDEST_BAR_CSS * pixel));
  return { x: (left + right - width) / 2, width };
}

export function drawBars(plot: uPlot, slots: readonly Slot[], pixel: number): void {
  const { left, top, width, height } = plot.bbox;
  const pen = plot.ctx;
  const closed: Painter = { pen, fills: fillsFor(pen, pixel, false), pixel };
  const running: Painter = { ...closed, fills: fillsFor(pen, pixel, true) };
  const y = (wh: number) => plot.valToPos(wh, "y", true);
  pen.save();
  pen.beginPath();
  pen.rect(left, top, width, height);
  pen.clip();
  for (const slot of slots) {
    const bar = barSpan(plot, slot, pixel);
    if (bar.x > left + width || bar.x + bar.width < left) continue;
    for (const [parts, sign] of [
      [UP, 1],
      [DOWN, -1],
    ] as const) {
      let stacked = 0;
      for (const part of parts) {
        const signed = part === "sold" ? -slot.parts.sold : slot.parts[part];
        const wh = Math.max(0, sign * signed);
        box(
          slot.running ? running : closed,
          part,
          bar.x,
          bar.width,
          y(sign * stacked),
          y(sign * (stacked + wh)),
        );
        stacked += wh;
      }
    }
  }
  pen.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--pw-ink");
  pen.fillRect(left, Math.round(y(0)), width, pixel);
  pen.restore();
}
