// The bars of the day in a uPlot canvas; keeps its zoom while live figures change, and tells which interval is pointed at.
import { useEffect, useImperativeHandle, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { type Place, time } from "../../../lib/format";
import { useColorScheme } from "../../../theme/colorScheme";
import styles from "../styles.module.css";
import { type Bar, extent, type Unit } from "./bars";
import { drawBars } from "./drawBars";
import { shiftInto, type TimeWindow, zoomBy, zoomPlugin } from "./zoom";

const HEIGHT_PX = 280;
const MIN_WIDTH_PX = 240;
/** The closest zoom, and the least that a day is drawn for, in intervals. */
const MIN_BARS = 4;
const DAY_BARS = 24;

export type DayPlotHandle = {
  zoom: (factor: number) => void;
  reset: () => void;
  pointTo: (index: number) => void;
};

type Props = {
  bars: readonly Bar[];
  place: Place;
  unit: Unit;
  onPoint: (index: number | null) => void;
  ref: React.Ref<DayPlotHandle>;
};

const token = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name);

function wholeDay(bars: readonly Bar[]): TimeWindow {
  const [first, last] = [bars[0], bars.at(-1)];
  if (!first || !last) return { min: 0, max: 1 };
  const length = last.endS - last.startS;
  return { min: first.startS, max: Math.max(last.endS, first.startS + DAY_BARS * length) };
}

function toData(bars: readonly Bar[]): uPlot.AlignedData {
  const extents = bars.map(extent);
  return [bars.map(middle), extents.map(({ used }) => used), extents.map(({ given }) => -given)];
}

/** The scale of energy: zero is always on it, with a margin at the ends that are used. */
function energyRange(_: uPlot, low: number | null, high: number | null): uPlot.Range.MinMax {
  const [min, max] = [Math.min(0, low ?? 0), Math.max(0, high ?? 0)];
  const margin = (max - min) * 0.06;
  return min === 0 && max === 0 ? [0, 100] : [min < 0 ? min - margin : 0, max > 0 ? max + margin : 0];
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
      values: (_, splits) => splits.map((s) => time(new Date(s * 1000), place).slice(0, 5)),
    },
    {
      ...look,
      size: 48,
      grid: { stroke: () => token("--pw-line"), width: 1 },
      values: (_, splits) => splits.map((wh) => (Math.abs(wh) / unit().wh).toLocaleString("en-GB")),
    },
  ];
}

const middle = (bar: Bar) => (bar.startS + bar.endS) / 2;

/** Puts the crosshair on an interval, and moves the window there when it is outside. */
function pointTo(plot: uPlot, bars: readonly Bar[], index: number): void {
  const bar = bars[index];
  const { min, max } = plot.scales.x ?? {};
  if (!bar || min === undefined || max === undefined) return;
  const shift = Math.min(0, bar.startS - min) + Math.max(0, bar.endS - max);
  if (shift !== 0) {
    plot.batch(() => plot.setScale("x", shiftInto({ min: min + shift, max: max + shift }, wholeDay(bars))));
  }
  plot.setCursor({ left: plot.valToPos(middle(bar), "x"), top: 10 });
}

export function DayPlot({ bars, place, unit, onPoint, ref }: Props) {
  const scheme = useColorScheme();
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  // uPlot's callbacks outlive a render: they read the newest props here
  const latest = useRef({ bars, unit, onPoint });
  latest.current = { bars, unit, onPoint };
  const zoom = useRef({
    whole: () => wholeDay(latest.current.bars),
    minWidth: () => {
      const last = latest.current.bars.at(-1);
      return last ? MIN_BARS * (last.endS - last.startS) : 1;
    },
  });

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const created = new uPlot(
      {
        width: Math.max(MIN_WIDTH_PX, element.clientWidth),
        height: HEIGHT_PX,
        legend: { show: false },
        cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: true } },
        tzDate: (s) => uPlot.tzDate(new Date((s + place.sun_offset_s) * 1000), place.timezone),
        scales: { x: { time: true, range: (_, min, max) => [min, max] }, y: { range: energyRange } },
        axes: axes(place, () => latest.current.unit),
        series: [
          {},
          { paths: () => null, points: { show: false } },
          { paths: () => null, points: { show: false } },
        ],
        plugins: [zoomPlugin(zoom.current)],
        hooks: {
          draw: [(self) => drawBars(self, latest.current.bars, devicePixelRatio)],
          setCursor: [(self) => latest.current.onPoint(self.cursor.idx ?? null)],
        },
      },
      toData(latest.current.bars),
      element,
    );
    created.setScale("x", wholeDay(latest.current.bars));
    plot.current = created;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth > 0) created.setSize({ width: element.clientWidth, height: HEIGHT_PX });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      created.destroy();
      plot.current = null;
    };
  }, [place]);

  useEffect(() => {
    const current = plot.current;
    if (!current) return;
    const before = { min: current.scales.x?.min ?? 0, max: current.scales.x?.max ?? 0 };
    const whole = wholeDay(bars);
    const wasWhole = before.max - before.min >= (whole.max - whole.min) * 0.9;
    current.setData(toData(bars), false);
    current.setScale("x", wasWhole ? whole : before);
  }, [bars]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the canvas takes its colours from the scheme's tokens
  useEffect(() => plot.current?.redraw(false), [scheme]);

  useImperativeHandle(ref, () => ({
    zoom: (factor) => {
      const current = plot.current;
      if (!current) return;
      const index = current.cursor.idx ?? null;
      const bar = index === null ? undefined : latest.current.bars[index];
      const leftPx = index === null ? undefined : current.valToPos(bar ? middle(bar) : 0, "x");
      current.batch(() => zoomBy(current, zoom.current, factor, leftPx));
      if (index !== null) pointTo(current, latest.current.bars, index);
    },
    reset: () => plot.current?.setScale("x", wholeDay(latest.current.bars)),
    pointTo: (index) => plot.current && pointTo(plot.current, latest.current.bars, index),
  }));

  return <div ref={host} className={styles.plot} />;
}
