// The day as bars, one for each interval: what was used above the line, what was given away below it; energy in Wh.
import type { DayInterval, Today } from "../queries";

export type Part = "own" | "bought" | "sold" | "utility" | "open";

export type Bar = {
  startS: number;
  endS: number;
  /** The interval runs, or is not cleared: who the counterparty is stays open. */
  provisional: boolean;
  running: boolean;
  /** Wh in each part; `utility` and `open` are negative when they were given away. */
  parts: Record<Part, number>;
};

export const PARTS: readonly { part: Part; name: string }[] = [
  { part: "own", name: "Own use" },
  { part: "bought", name: "Bought from neighbours" },
  { part: "sold", name: "Sold to neighbours" },
  { part: "utility", name: "Utility" },
  { part: "open", name: "Not cleared yet" },
];

const toSeconds = (at: string) => Date.parse(at) / 1000;

export function toBar(interval: DayInterval): Bar {
  const provisional = interval.state === "attested";
  const { own_use_wh: own, bought_wh: bought, sold_wh: sold, utility_wh } = interval;
  // Positive utility energy was sold; on the chart what was used stands above the line
  const open = provisional ? -utility_wh : 0;
  return {
    startS: toSeconds(interval.start_at),
    endS: toSeconds(interval.end_at),
    provisional,
    running: false,
    parts: { own, bought, sold, utility: provisional ? 0 : -utility_wh, open },
  };
}

function runningBar({ running }: Today): Bar {
  const own = Math.min(running.import_wh, running.export_wh);
  const open = running.import_wh - running.export_wh;
  return {
    startS: toSeconds(running.start_at),
    endS: toSeconds(running.end_at),
    provisional: true,
    running: true,
    parts: { own, bought: 0, sold: 0, utility: 0, open },
  };
}

/** The day's closed intervals and the running one, in order of time. */
export function toBars(today: Today): Bar[] {
  const running = runningBar(today);
  return [...today.intervals.map(toBar).filter((bar) => bar.startS < running.startS), running];
}

/** The Wh that a bar has above and below the line. */
export function extent({ parts }: Bar): { used: number; given: number } {
  return {
    used: parts.own + parts.bought + Math.max(0, parts.utility) + Math.max(0, parts.open),
    given: parts.sold + Math.max(0, -parts.utility) + Math.max(0, -parts.open),
  };
}

/** The Wh of each part over the whole day; the two directions of the utility are not set off against each other. */
export function totals(bars: readonly Bar[]): Record<Part, number> {
  const total = (part: Part) => bars.reduce((sum, bar) => sum + Math.abs(bar.parts[part]), 0);
  return {
    own: total("own"),
    bought: total("bought"),
    sold: total("sold"),
    utility: total("utility"),
    open: total("open"),
  };
}

export type Unit = { name: "Wh" | "kWh"; wh: 1 | 1000 };

/** The unit that makes the day's largest bar easy to read. */
export function unitFor(bars: readonly Bar[]): Unit {
  const largest = Math.max(0, ...bars.map(extent).flatMap(({ used, given }) => [used, given]));
  return largest < 1000 ? { name: "Wh", wh: 1 } : { name: "kWh", wh: 1000 };
}
