// The bars of the day in a uPlot canvas; keeps its zoom while live figures change, and tells which interval is meant.

import { useEffect, useImperativeHandle, useRef } from "react";
import uPlot from "uplot";
import { useColorScheme } from "../../../theme/colorScheme";
import "uplot/dist/uPlot.min.css";
import { type Place, time } from "../../../lib/format";
import styles from "../styles.module.css";
import { extent, type Slot, type Unit } from "./bars";
import { drawBars } from "./drawBars";
import { moved, zoomBy, zoomPlugin } from "./zoom";

const HEIGHT = 280;
const LEAST_SLOTS = 4;
const SHOWN_SLOTS = 24;

export type DayPlotHandle = {
  zoom: (factor: number) => void;
  reset: () => void;
  point: (index: number) => void;
};

type Props = {
  slots: readonly Slot[];
  place: Place;
  unit: Unit;
  onPoint: (index: number | null) => void;
  ref: React.Ref<DayPlotHandle>;
};

const token = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name);

function wholeDay(slots: readonly Slot[]) {
  const [first, last] = [slots[0], slots.at(-1)];
  if (!first || !last) return { min: 0, max: 1 };
  const length = last.endS - last.startS;
  return { min: first.startS, max: Math.max(last.endS, first.startS + SHOWN_SLOTS * length) };
}

function toData(slots: readonly Slot[]): uPlot.AlignedData {
  const sizes = slots.map(extent);
  return [
    slots.map((slot) => (slot.startS + slot.endS) / 2),
    sizes.map((size) => size.used),
    sizes.map((size) => -size.given),
  ];
}

/** The scale of energy: zero is always on it, with a little air at the ends that are used. */
function energyRange(_: uPlot, low: number | null, high: number | null): uPlot.Range.MinMax {
  const [min, max] = [Math.min(0, low ?? 0), Math.max(0, high ?? 0)];
  const air = (max - min) * 0.06;
  return min === 0 && max === 0 ? [0, 100] : [min < 0 ? min - air : 0, max > 0 ? max + air : 0];
}

function axes(place: Place, unit: () => Unit): uPlot.Axis[] {
  const look = {
    stroke: () => token("--pw-quiet"),
    font: "12px system-ui, sans-serif",
    ticks: { show: false },
  };
  return [
    {
      ...look,
      size: 28,
      grid: { show: false },
      space: 64,
      values: (_, at) => at.map((s) => time(new Date(s * 1000), place).slice(0, 5)),
    },
    {
      ...look,
      size: 48,
      grid: { stroke: () => token("--pw-line"), width: 1 },
      values: (_, at) => at.map((wh) => (Math.abs(wh) / unit().wh).toLocaleString("en-GB")),
    },
  ];
}

const midOf = (slot: Slot | undefined) => (slot ? (slot.startS + slot.endS) / 2 : 0);

/** Puts the crosshair on an interval, and moves the window there when it is outside. */
function pointTo(plot: uPlot, slots: readonly Slot[], index: number): void {
  const slot = slots[index];
  const { min, max } = plot.scales.x ?? {};
  if (!slot || min === undefined || max === undefined) return;
  const shift = Math.min(0, slot.startS - min) + Math.max(0, slot.endS - max);
  if (shift !== 0) {
    plot.batch(() => plot.setScale("x", moved({ min: min + shift, max: max + shift }, wholeDay(slots))));
  }
  plot.setCursor({ left: plot.valToPos(midOf(slot), "x"), top: 10 });
}

export function DayPlot({ slots, place, unit, onPoint, ref }: Props) {
  const scheme = useColorScheme();
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const now = useRef({ slots, unit, onPoint });
  now.current = { slots, unit, onPoint };
  const zoom = useRef({
    whole: () => wholeDay(now.current.slots),
    least: () => {
      const last = now.current.slots.at(-1);
      return last ? LEAST_SLOTS * (last.endS - last.startS) : 1;
    },
  });

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const made = new uPlot(
      {
        width: Math.max(240, element.clientWidth),
        height: HEIGHT,
        legend: { show: false },
        cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: true } },
        tzDate: (s) => uPlot.tzDate(new Date((s + place.sun_offset_s) * 1000), place.timezone),
        scales: { x: { time: true, range: (_, min, max) => [min, max] }, y: { range: energyRange } },
        axes: axes(place, () => now.current.unit),
        series: [
          {},
          { paths: () => null, points: { show: false } },
          { paths: () => null, points: { show: false } },
        ],
        plugins: [zoomPlugin(zoom.current)],
        hooks: {
          draw: [(self) => drawBars(self, now.current.slots, devicePixelRatio)],
          setCursor: [(self) => now.current.onPoint(self.cursor.idx ?? null)],
        },
      },
      toData(now.current.slots),
      element,
    );
    made.setScale("x", wholeDay(now.current.slots));
    plot.current = made;
    const resized = new ResizeObserver(() => {
      if (element.clientWidth > 0) made.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [place]);

  useEffect(() => {
    const made = plot.current;
    if (!made) return;
    const before = { min: made.scales.x?.min ?? 0, max: made.scales.x?.max ?? 0 };
    const wasWhole = before.max - before.min >= (wholeDay(slots).max - wholeDay(slots).min) * 0.9;
    made.setData(toData(slots), false);
    made.setScale("x", wasWhole ? wholeDay(slots) : before);
  }, [slots]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the canvas takes its colours from the scheme's tokens
  useEffect(() => plot.current?.redraw(false), [scheme]);

  useImperativeHandle(ref, () => ({
    zoom: (factor) => {
      const made = plot.current;
      if (!made) return;
      const pointed = made.cursor.idx;
      const at =
        pointed === null || pointed === undefined
          ? undefined
          : made.valToPos(midOf(now.current.slots[pointed]), "x");
      made.batch(() => zoomBy(made, zoom.current, factor, at));
      if (pointed !== null && pointed !== undefined) pointTo(made, now.current.slots, pointed);
    },
    reset: () => plot.current?.setScale("x", wholeDay(now.current.slots)),
    point: (index) => plot.current && pointTo(plot.current, now.current.slots, index),
  }));

  return <div ref={host} className={styles.plot} />;
}
