// The day as a card: bars with a legend that tells the values under the crosshair, zoom, and a table behind a toggle.

import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import { energy, interval, type Place } from "../../../lib/format";
import { useColorScheme } from "../../../theme/colorScheme";
import { Card } from "../../../ui/Card";
import { DayTable } from "../parts/DayTable";
import type { Today } from "../queries";
import styles from "../styles.module.css";
import { PARTS, type Part, type Slot, sums, toSlots, unitFor } from "./bars";
import { DayPlot, type DayPlotHandle } from "./DayPlot";
import { tile } from "./patterns";

function Swatch({ part }: { part: Part }) {
  const scheme = useColorScheme();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the pattern takes its colours from the scheme's tokens
  const image = useMemo(() => `url(${tile(part, 2).toDataURL()})`, [part, scheme]);
  return (
    <span className={styles.swatch} data-part={part} style={{ backgroundImage: image }} aria-hidden="true" />
  );
}

function said(part: Part, wh: number, whole: boolean): string {
  if (whole || wh === 0 || (part !== "utility" && part !== "open")) return energy(Math.abs(wh));
  return `${energy(Math.abs(wh))} ${wh > 0 ? "in" : "out"}`;
}

function Legend({ slot, slots, place }: { slot: Slot | undefined; slots: readonly Slot[]; place: Place }) {
  const parts = slot?.parts ?? sums(slots);
  const at = slot
    ? interval(new Date(slot.startS * 1000), new Date(slot.endS * 1000), place)
    : "The day so far";
  return (
    <div className={styles.legend}>
      <p className={styles.legendAt}>
        {at}
        {slot?.running ? ", running" : slot?.provisional ? ", not cleared yet" : ""}
      </p>
      <dl>
        {PARTS.map(({ part, name }) => (
          <div key={part}>
            <dt>
              <Swatch part={part} />
              {name}
            </dt>
            <dd>{said(part, parts[part], slot === undefined)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function spoken(slot: Slot | undefined, place: Place): string {
  if (!slot) return "The day so far";
  const values = PARTS.filter(({ part }) => slot.parts[part] !== 0).map(
    ({ part, name }) => `${name} ${said(part, slot.parts[part], false)}`,
  );
  const at = interval(new Date(slot.startS * 1000), new Date(slot.endS * 1000), place);
  return `${at}: ${values.join(", ") || "nothing"}`;
}

/** Keys on the chart: arrows walk over the intervals, + and - zoom, Esc shows the whole day. */
function walk(key: string, plot: DayPlotHandle, here: number, last: number): boolean {
  if (key === "ArrowLeft") plot.point(Math.max(0, here - 1));
  else if (key === "ArrowRight") plot.point(Math.min(last, here + 1));
  else if (key === "Home") plot.point(0);
  else if (key === "End") plot.point(last);
  else if (key === "+") plot.zoom(0.6);
  else if (key === "-") plot.zoom(1.6);
  else if (key === "Escape") plot.reset();
  else return false;
  return true;
}

export function DayChart({ today, place }: { today: Today; place: Place }) {
  const slots = useMemo(() => toSlots(today), [today]);
  const [pointed, setPointed] = useState<number | null>(null);
  const [table, setTable] = useState(false);
  const plot = useRef<DayPlotHandle>(null);
  const unit = useMemo(() => unitFor(slots), [slots]);
  const slot = pointed === null ? undefined : slots[pointed];

  function onKey(event: KeyboardEvent): void {
    if (plot.current && walk(event.key, plot.current, pointed ?? slots.length, slots.length - 1)) {
      event.preventDefault();
    }
  }

  return (
    <Card
      title={`Your day, in ${unit.name}`}
      aside={
        <div className={styles.tools}>
          <button type="button" onClick={() => plot.current?.zoom(0.6)} aria-label="Zoom in" disabled={table}>
            +
          </button>
          <button
            type="button"
            onClick={() => plot.current?.zoom(1.6)}
            aria-label="Zoom out"
            disabled={table}
          >
            −
          </button>
          <button type="button" onClick={() => plot.current?.reset()} disabled={table}>
            Whole day
          </button>
          <button type="button" aria-pressed={table} onClick={() => setTable(!table)}>
            Table
          </button>
        </div>
      }
    >
      {table ? (
        <DayTable today={today} place={place} />
      ) : (
        <>
          <Legend slot={slot} slots={slots} place={place} />
          <div
            className={styles.walk}
            role="slider"
            tabIndex={0}
            aria-label="Interval of the day"
            aria-valuemin={1}
            aria-valuemax={slots.length}
            aria-valuenow={(pointed ?? slots.length - 1) + 1}
            aria-valuetext={spoken(slot, place)}
            onKeyDown={onKey}
          >
            <DayPlot ref={plot} slots={slots} place={place} unit={unit} onPoint={setPointed} />
          </div>
          <p className={styles.axisNote}>
            Above the line: used. Below: given away. Hatched: not cleared yet.
          </p>
        </>
      )}
    </Card>
  );
}
