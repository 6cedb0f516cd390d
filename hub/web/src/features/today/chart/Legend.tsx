// The chart's legend: each part with its colour and pattern, and its energy in one interval or in the whole day.
import { useMemo } from "react";
import { energy, interval, type Place } from "../../../lib/format";
import { useColorScheme } from "../../../theme/colorScheme";
import styles from "../styles.module.css";
import { type Bar, PARTS, type Part, totals } from "./bars";
import { drawTile } from "./patterns";

function Swatch({ part }: { part: Part }) {
  const scheme = useColorScheme();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the pattern takes its colours from the scheme's tokens
  const image = useMemo(() => `url(${drawTile(part, 2).toDataURL()})`, [part, scheme]);
  return (
    <span className={styles.swatch} data-part={part} style={{ backgroundImage: image }} aria-hidden="true" />
  );
}

/** Energy of a part in one interval, with its direction where a part has two. */
function partEnergy(part: Part, wh: number): string {
  if (wh === 0 || (part !== "utility" && part !== "open")) return energy(Math.abs(wh));
  return `${energy(Math.abs(wh))} ${wh > 0 ? "in" : "out"}`;
}

const barInterval = (bar: Bar, place: Place) =>
  interval(new Date(bar.startS * 1000), new Date(bar.endS * 1000), place);

/** A bar in words, for a screen reader. */
export function barText(bar: Bar | undefined, place: Place): string {
  if (!bar) return "The day so far";
  const parts = PARTS.filter(({ part }) => bar.parts[part] !== 0).map(
    ({ part, name }) => `${name} ${partEnergy(part, bar.parts[part])}`,
  );
  return `${barInterval(bar, place)}: ${parts.join(", ") || "nothing"}`;
}

type Props = { bar: Bar | undefined; bars: readonly Bar[]; place: Place };

export function Legend({ bar, bars, place }: Props) {
  const dayTotals = totals(bars);
  return (
    <div className={styles.legend}>
      <p className={styles.legendTitle}>
        {bar ? barInterval(bar, place) : "The day so far"}
        {bar?.running ? ", running" : bar?.provisional ? ", not cleared yet" : ""}
      </p>
      <dl>
        {PARTS.map(({ part, name }) => (
          <div key={part}>
            <dt>
              <Swatch part={part} />
              {name}
            </dt>
            <dd>{bar ? partEnergy(part, bar.parts[part]) : energy(dayTotals[part])}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
