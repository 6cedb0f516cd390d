// Zooms a uPlot chart in time: wheel, pinch and steps; never beyond the day or into less than four intervals.
import type uPlot from "uplot";

export type Window = { min: number; max: number };

/** A window scaled around a point, kept inside the whole and no narrower than `least`. */
export function scaled(now: Window, whole: Window, around: number, factor: number, least: number): Window {
  const width = Math.min(whole.max - whole.min, Math.max(least, (now.max - now.min) * factor));
  const share = (around - now.min) / (now.max - now.min || 1);
  return moved({ min: around - share * width, max: around + (1 - share) * width }, whole);
}

/** A window pushed back into the whole. */
export function moved(wanted: Window, whole: Window): Window {
  const width = Math.min(wanted.max - wanted.min, whole.max - whole.min);
  const min = Math.min(Math.max(wanted.min, whole.min), whole.max - width);
  return { min, max: min + width };
}

type Zoom = { whole: () => Window; least: () => number };

/** Changes the window by a factor around a place (CSS pixels from the plot's left edge; the middle by default). */
export function zoomBy(plot: uPlot, { whole, least }: Zoom, factor: number, leftPx?: number): void {
  const { min, max } = plot.scales.x ?? {};
  if (min === undefined || max === undefined || min === null || max === null) return;
  const around = leftPx === undefined ? (min + max) / 2 : plot.posToVal(leftPx, "x");
  plot.setScale("x", scaled({ min, max }, whole(), around, factor, least()));
}

/** Whether the plot shows all that there is. */
export function isWhole(plot: uPlot, whole: Window): boolean {
  const { min, max } = plot.scales.x ?? {};
  return (max ?? 0) - (min ?? 0) >= (whole.max - whole.min) * 0.99;
}

function pinchWidth(touches: TouchList): { width: number; middle: number } | null {
  const [one, two] = [touches[0], touches[1]];
  if (!one || !two) return null;
  return { width: Math.max(1, Math.abs(one.clientX - two.clientX)), middle: (one.clientX + two.clientX) / 2 };
}

export function zoomPlugin(zoom: Zoom): uPlot.Plugin {
  let pinched: number | null = null;
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
            const pinch = pinchWidth(event.touches);
            if (!pinch) return;
            event.preventDefault();
            if (pinched !== null) zoomBy(plot, zoom, pinched / pinch.width, left(pinch.middle));
            pinched = pinch.width;
          },
          { passive: false },
        );
        plot.over.addEventListener("touchend", () => {
          pinched = null;
        });
        plot.over.addEventListener("dblclick", () => plot.setScale("x", zoom.whole()));
      },
    },
  };
}
