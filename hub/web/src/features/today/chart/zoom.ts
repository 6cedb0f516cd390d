// Zooms a uPlot chart in time: wheel, pinch and steps; never beyond the day or into less than four intervals.
import type uPlot from "uplot";

export type TimeWindow = { min: number; max: number };

/** Scales a window around a point; the result is inside the whole and no narrower than `minWidth`. */
export function scaleAround(
  current: TimeWindow,
  whole: TimeWindow,
  around: number,
  factor: number,
  minWidth: number,
): TimeWindow {
  const width = Math.min(whole.max - whole.min, Math.max(minWidth, (current.max - current.min) * factor));
  const share = (around - current.min) / (current.max - current.min || 1);
  return shiftInto({ min: around - share * width, max: around + (1 - share) * width }, whole);
}

/** Shifts a window back into the whole. */
export function shiftInto(wanted: TimeWindow, whole: TimeWindow): TimeWindow {
  const width = Math.min(wanted.max - wanted.min, whole.max - whole.min);
  const min = Math.min(Math.max(wanted.min, whole.min), whole.max - width);
  return { min, max: min + width };
}

/** How far a chart can be zoomed, in seconds. */
type ZoomLimits = { whole: () => TimeWindow; minWidth: () => number };

/** Scales the window around a place, in CSS pixels from the plot's left edge; the middle by default. */
export function zoomBy(plot: uPlot, { whole, minWidth }: ZoomLimits, factor: number, leftPx?: number): void {
  const { min, max } = plot.scales.x ?? {};
  if (min === undefined || max === undefined || min === null || max === null) return;
  const around = leftPx === undefined ? (min + max) / 2 : plot.posToVal(leftPx, "x");
  plot.setScale("x", scaleAround({ min, max }, whole(), around, factor, minWidth()));
}

/** Whether the plot shows the whole day. */
function isWhole(plot: uPlot, whole: TimeWindow): boolean {
  const { min, max } = plot.scales.x ?? {};
  return (max ?? 0) - (min ?? 0) >= (whole.max - whole.min) * 0.99;
}

/** Where two fingers are, in CSS pixels of the page; null for fewer. */
function readPinch(touches: TouchList): { width: number; middle: number } | null {
  const [first, second] = [touches[0], touches[1]];
  if (!first || !second) return null;
  const width = Math.max(1, Math.abs(first.clientX - second.clientX));
  return { width, middle: (first.clientX + second.clientX) / 2 };
}

export function zoomPlugin(zoom: ZoomLimits): uPlot.Plugin {
  let lastWidth: number | null = null;
  return {
    hooks: {
      ready: (plot) => {
        const left = (clientX: number) => clientX - plot.over.getBoundingClientRect().left;
        plot.over.addEventListener(
          "wheel",
          (event) => {
            // The whole day can not grow: the page scrolls on
            if (event.deltaY > 0 && isWhole(plot, zoom.whole())) return;
            event.preventDefault();
            zoomBy(plot, zoom, event.deltaY > 0 ? 1.25 : 0.8, left(event.clientX));
          },
          { passive: false },
        );
        plot.over.addEventListener(
          "touchmove",
          (event) => {
            const pinch = readPinch(event.touches);
            if (!pinch) return;
            event.preventDefault();
            if (lastWidth !== null) zoomBy(plot, zoom, lastWidth / pinch.width, left(pinch.middle));
            lastWidth = pinch.width;
          },
          { passive: false },
        );
        plot.over.addEventListener("touchend", () => {
          lastWidth = null;
        });
        plot.over.addEventListener("dblclick", () => plot.setScale("x", zoom.whole()));
      },
    },
  };
}
