// The four meanings as colour and pattern: told apart without colour, on the chart and in its legend alike.
import type { Part } from "./bars";

const TILE = 8;

const TOKEN: Record<Part, string> = {
  own: "--pw-sun",
  bought: "--pw-leaf",
  sold: "--pw-sky",
  utility: "--pw-stone",
  open: "--pw-quiet",
};

function lines(pen: CanvasRenderingContext2D, ends: [number, number, number, number][]): void {
  pen.beginPath();
  for (const [x1, y1, x2, y2] of ends) {
    pen.moveTo(x1, y1);
    pen.lineTo(x2, y2);
  }
  pen.stroke();
}

const RISING: [number, number, number, number][] = [
  [-2, 2, 2, -2],
  [-2, 10, 10, -2],
  [6, 10, 10, 6],
];

const DRAW: Record<Part, (pen: CanvasRenderingContext2D) => void> = {
  own: () => undefined,
  bought: (pen) => lines(pen, RISING),
  sold: (pen) => {
    for (const [x, y] of [
      [2, 2],
      [6, 6],
    ] as const) {
      pen.beginPath();
      pen.arc(x, y, 1.1, 0, 2 * Math.PI);
      pen.fill();
    }
  },
  utility: (pen) => lines(pen, [[0, 4, TILE, 4]]),
  open: (pen) => lines(pen, RISING),
};

/** One tile of a pattern, in the colours that hold at this moment; hatched while the interval runs. */
export function tile(part: Part, scale = 1, running = false): HTMLCanvasElement {
  const style = getComputedStyle(document.documentElement);
  const colour = style.getPropertyValue(TOKEN[part]);
  const card = style.getPropertyValue("--pw-card");
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = TILE * scale;
  const pen = canvas.getContext("2d");
  if (!pen) return canvas;
  pen.scale(scale, scale);
  const hollow = running || part === "open";
  pen.fillStyle = hollow ? card : colour;
  pen.fillRect(0, 0, TILE, TILE);
  pen.strokeStyle = pen.fillStyle = hollow ? colour : card;
  pen.lineWidth = hollow ? 1.6 : 1.2;
  DRAW[hollow ? "open" : part](pen);
  return canvas;
}

/** The pattern as a canvas fill; `scale` is the device's pixel ratio. */
export function fill(
  pen: CanvasRenderingContext2D,
  part: Part,
  scale: number,
  running: boolean,
): CanvasPattern | string {
  return pen.createPattern(tile(part, scale, running), "repeat") ?? "";
}

/** The colour of a part's outline. */
export function outline(part: Part): string {
  return getComputedStyle(document.documentElement).getPropertyValue(TOKEN[part]);
}
