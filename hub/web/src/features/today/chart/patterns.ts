// Colour and pattern of each part of a bar: parts are told apart without colour, on the chart and in its legend.
import type { Part } from "./bars";

const TILE_PX = 8;

const COLOR_TOKENS: Record<Part, string> = {
  own: "--pw-sun",
  bought: "--pw-leaf",
  sold: "--pw-sky",
  utility: "--pw-stone",
  open: "--pw-quiet",
};

function drawLines(context: CanvasRenderingContext2D, ends: [number, number, number, number][]): void {
  context.beginPath();
  for (const [x1, y1, x2, y2] of ends) {
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
  }
  context.stroke();
}

const HATCHING: [number, number, number, number][] = [
  [-2, 2, 2, -2],
  [-2, 10, 10, -2],
  [6, 10, 10, 6],
];

const DRAW_PATTERN: Record<Part, (context: CanvasRenderingContext2D) => void> = {
  own: () => undefined,
  bought: (context) => drawLines(context, HATCHING),
  sold: (context) => {
    for (const [x, y] of [
      [2, 2],
      [6, 6],
    ] as const) {
      context.beginPath();
      context.arc(x, y, 1.1, 0, 2 * Math.PI);
      context.fill();
    }
  },
  utility: (context) => drawLines(context, [[0, 4, TILE_PX, 4]]),
  open: (context) => drawLines(context, HATCHING),
};

/** Draws one tile of a pattern in the colours of the current scheme; hatched while the interval runs. */
export function drawTile(part: Part, scale = 1, running = false): HTMLCanvasElement {
  const style = getComputedStyle(document.documentElement);
  const color = style.getPropertyValue(COLOR_TOKENS[part]);
  const card = style.getPropertyValue("--pw-card");
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = TILE_PX * scale;
  const context = canvas.getContext("2d");
  if (!context) return canvas;
  context.scale(scale, scale);
  const hollow = running || part === "open";
  context.fillStyle = hollow ? card : color;
  context.fillRect(0, 0, TILE_PX, TILE_PX);
  context.strokeStyle = context.fillStyle = hollow ? color : card;
  context.lineWidth = hollow ? 1.6 : 1.2;
  DRAW_PATTERN[hollow ? "open" : part](context);
  return canvas;
}

/** Creates the pattern as a canvas fill; `scale` is the device's pixel ratio. */
export function createPattern(
  context: CanvasRenderingContext2D,
  part: Part,
  scale: number,
  running: boolean,
): CanvasPattern | string {
  return context.createPattern(drawTile(part, scale, running), "repeat") ?? "";
}

/** The colour of a part's outline. */
export function outlineColor(part: Part): string {
  return getComputedStyle(document.documentElement).getPropertyValue(COLOR_TOKENS[part]);
}
