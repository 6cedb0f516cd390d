// The day as bars: what one used above the line, what one gave away below it; energy in Wh.
import type { DayInterval, Today } from "../queries";

export type Part = "own" | "bought" | "sold" | "utility" | "open";

export type Slot = {
  startS: number;
  endS: number;
  /** The interval runs, or is not cleared: who the other side is stays open. */
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

const seconds = (at: string) => Date.parse(at) / 1000;

export function toSlot(interval: DayInterval): Slot {
  const provisional = interval.state === "attested";
  const { own_use_wh: own, bought_wh: bought, sold_wh: sold, utility_wh } = interval;
  // Positive utility energy was sold; on the chart what was used stands above the line
  const open = provisional ? -utility_wh : 0;
  return {
    startS: seconds(interval.start_at),
    endS: seconds(interval.end_at),
    provisional,
    running: false,
    parts: { own, bought, sold, utility: provisional ? 0 : -utility_wh, open },
  };
}

function runningSlot({ running }: Today): Slot {
  const own = Math.min(running.import_wh, running.export_wh);
  const open = running.import_wh - running.export_wh;
  return {
    startS: seconds(running.start_at),
    endS: seconds(running.end_at),
    provisional: true,
    running: true,
    parts: { own, bought: 0, sold: 0, utility: 0, open },
  };
}

/** The day's closed intervals and the running one, in order of time. */
export function toSlots(today: Today): Slot[] {
  const running = runningSlot(today);
  return [...today.intervals.map(toSlot).filter((slot) => slot.startS < running.startS), running];
}

/** What stands above and below the line. */
export function extent({ parts }: Slot): { used: number; given: number } {
  return {
    used: parts.own + parts.bought + Math.max(0, parts.utility) + Math.max(0, parts.open),
    given: parts.sold + Math.max(0, -parts.utility) + Math.max(0, -parts.open),
  };
}

/** The parts of the whole day; the two directions of the utility are not set off against each other. */
export function sums(slots: readonly Slot[]): Record<Part, number> {
  const sum = (part: Part) => slots.reduce((all, slot) => all + Math.abs(slot.parts[part]), 0);
  return {
    own: sum("own"),
    bought: sum("bought"),
    sold: sum("sold"),
    utility: sum("utility"),
    open: sum("open"),
  };
}

export type Unit = { name: "Wh" | "kWh"; wh: 1 | 1000 };

/** The unit that makes the day's largest bar easy to read. */
export function unitFor(slots: readonly Slot[]): Unit {
  const largest = Math.max(0, ...slots.map(extent).flatMap(({ used, given }) => [used, given]));
  return largest < 1000 ? { name: "Wh", wh: 1 } : { name: "kWh", wh: 1000 };
}
