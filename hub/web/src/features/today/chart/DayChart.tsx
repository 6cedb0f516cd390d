// The day as a card: bars with a legend for the interval under the crosshair, zoom, and a table behind a toggle.
import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import type { Place } from "../../../lib/format";
import { Card } from "../../../ui/Card";
import { DayTable } from "../parts/DayTable";
import type { Today } from "../queries";
import styles from "../styles.module.css";
import { toBars, unitFor } from "./bars";
import { DayPlot, type DayPlotHandle } from "./DayPlot";
import { barText, Legend } from "./Legend";

const ZOOM_IN = 0.6;
const ZOOM_OUT = 1.6;

/** Does what a key means on the chart; false for other keys. */
function handleKey(key: string, plot: DayPlotHandle, index: number, last: number): boolean {
  if (key === "ArrowLeft") plot.pointTo(Math.max(0, index - 1));
  else if (key === "ArrowRight") plot.pointTo(Math.min(last, index + 1));
  else if (key === "Home") plot.pointTo(0);
  else if (key === "End") plot.pointTo(last);
  else if (key === "+") plot.zoom(ZOOM_IN);
  else if (key === "-") plot.zoom(ZOOM_OUT);
  else if (key === "Escape") plot.reset();
  else return false;
  return true;
}

export function DayChart({ today, place }: { today: Today; place: Place }) {
  const bars = useMemo(() => toBars(today), [today]);
  const [pointedIndex, setPointedIndex] = useState<number | null>(null);
  const [showsTable, setShowsTable] = useState(false);
  const plot = useRef<DayPlotHandle>(null);
  const unit = useMemo(() => unitFor(bars), [bars]);
  const bar = pointedIndex === null ? undefined : bars[pointedIndex];

  function onKeyDown(event: KeyboardEvent): void {
    if (plot.current && handleKey(event.key, plot.current, pointedIndex ?? bars.length, bars.length - 1)) {
      event.preventDefault();
    }
  }

  return (
    <Card
      title={`Your day, in ${unit.name}`}
      aside={
        <div className={styles.tools}>
          <button
            type="button"
            onClick={() => plot.current?.zoom(ZOOM_IN)}
            aria-label="Zoom in"
            disabled={showsTable}
          >
            +
          </button>
          <button
            type="button"
            onClick={() => plot.current?.zoom(ZOOM_OUT)}
            aria-label="Zoom out"
            disabled={showsTable}
          >
            −
          </button>
          <button type="button" onClick={() => plot.current?.reset()} disabled={showsTable}>
            Whole day
          </button>
          <button type="button" aria-pressed={showsTable} onClick={() => setShowsTable(!showsTable)}>
            Table
          </button>
        </div>
      }
    >
      {showsTable ? (
        <DayTable today={today} place={place} />
      ) : (
        <>
          <Legend bar={bar} bars={bars} place={place} />
          <div
            className={styles.plotSlider}
            role="slider"
            tabIndex={0}
            aria-label="Interval of the day"
            aria-valuemin={1}
            aria-valuemax={bars.length}
            aria-valuenow={(pointedIndex ?? bars.length - 1) + 1}
            aria-valuetext={barText(bar, place)}
            onKeyDown={onKeyDown}
          >
            <DayPlot ref={plot} bars={bars} place={place} unit={unit} onPoint={setPointedIndex} />
          </div>
          <p className={styles.axisNote}>
            Above the line: used. Below: given away. Hatched: not cleared yet.
          </p>
        </>
      )}
    </Card>
  );
}
