// Draws the day's stacked bars into a uPlot canvas: used energy upwards from zero, given energy downwards.
import type uPlot from "uplot";
import type { Bar, Part } from "./bars";
import { createPattern, outlineColor } from "./patterns";

const UPWARDS: readonly Part[] = ["own", "bought", "utility", "open"];
const DOWNWARDS: readonly Part[] = ["sold", "utility", "open"];
const MAX_BAR_WIDTH_PX = 56;

type Fills = Record<Part, CanvasPattern | string>;
/** `pixelRatio`: canvas pixels in a CSS pixel. */
type Painter = { context: CanvasRenderingContext2D; fills: Fills; pixelRatio: number };

function createFills(context: CanvasRenderingContext2D, pixelRatio: number, running: boolean): Fills {
  const parts: Part[] = ["own", "bought", "sold", "utility", "open"];
  const entries = parts.map((part) => [part, createPattern(context, part, pixelRatio, running)]);
  return Object.fromEntries(entries) as Fills;
}

/** A part of a bar, in canvas pixels. */
type Box = { x: number; width: number; y1: number; y2: number };

function drawBox({ context, fills, pixelRatio }: Painter, part: Part, { x, width, y1, y2 }: Box): void {
  const [top, height] = [Math.min(y1, y2), Math.abs(y2 - y1)];
  if (height < 0.5) return;
  context.fillStyle = fills[part];
  context.fillRect(x, top, width, height);
  context.strokeStyle = outlineColor(part);
  context.lineWidth = pixelRatio;
  if (width > 4 * pixelRatio) {
    const half = pixelRatio / 2;
    context.strokeRect(x + half, top + half, width - pixelRatio, Math.max(0, height - pixelRatio));
  }
}

/** Where a bar stands, in canvas pixels. */
function barSpan(plot: uPlot, bar: Bar, pixelRatio: number): { x: number; width: number } {
  const left = plot.valToPos(bar.startS, "x", true);
  const right = plot.valToPos(bar.endS, "x", true);
  const gap = Math.min(2 * pixelRatio, (right - left) * 0.15);
  const width = Math.max(1, Math.min(right - left - gap, MAX_BAR_WIDTH_PX * pixelRatio));
  return { x: (left + right - width) / 2, width };
}

/** Draws the parts on one side of the line, stacked from it outwards; `sign` is 1 above and -1 below. */
function drawStack(plot: uPlot, painter: Painter, bar: Bar, parts: readonly Part[], sign: 1 | -1): void {
  const toY = (wh: number) => plot.valToPos(sign * wh, "y", true);
  const span = barSpan(plot, bar, painter.pixelRatio);
  let stackedWh = 0;
  for (const part of parts) {
    const signedWh = part === "sold" ? -bar.parts.sold : bar.parts[part];
    const wh = Math.max(0, sign * signedWh);
    drawBox(painter, part, { ...span, y1: toY(stackedWh), y2: toY(stackedWh + wh) });
    stackedWh += wh;
  }
}

export function drawBars(plot: uPlot, bars: readonly Bar[], pixelRatio: number): void {
  const { left, top, width, height } = plot.bbox;
  const context = plot.ctx;
  const closed: Painter = { context, fills: createFills(context, pixelRatio, false), pixelRatio };
  const running: Painter = { ...closed, fills: createFills(context, pixelRatio, true) };
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  for (const bar of bars) {
    const span = barSpan(plot, bar, pixelRatio);
    if (span.x > left + width || span.x + span.width < left) continue;
    const painter = bar.running ? running : closed;
    drawStack(plot, painter, bar, UPWARDS, 1);
    drawStack(plot, painter, bar, DOWNWARDS, -1);
  }
  context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--pw-ink");
  context.fillRect(left, Math.round(plot.valToPos(0, "y", true)), width, pixelRatio);
  context.restore();
}
