// The day's bars as a table, on a phone as cards, newest first, each interval with the proofs of the readings behind it.
import { useState } from "react";
import { energy, interval as intervalText, type Place, price, signedMoney } from "../../../lib/format";
import { useSite } from "../../../lib/site";
import { useIsPhone } from "../../../lib/useMediaQuery";
import ui from "../../../ui/ui.module.css";
import { Warning } from "../../../ui/Warning";
import { STATE_LABELS, utilityLabel } from "../labels";
import { type Today, useBillLines } from "../queries";
import styles from "../styles.module.css";
import { DayCards } from "./DayCards";
import { IntervalProofs, type IntervalProps } from "./IntervalProofs";

/** How many intervals are shown at first, and added by each press of the button. */
const PAGE_SIZE = 48;

/** 25 hours, on the day in autumn. */
const LONGEST_DAY_MS = 25 * 3_600_000;

const COLUMNS = [
  "Interval",
  "State",
  "Own use",
  "Bought",
  "Sold",
  "Utility",
  "Price per kWh",
  "Saved",
  "Proof",
];

function Row({ interval, billLine, place, currency }: IntervalProps) {
  const name = intervalText(interval.start_at, interval.end_at, place);
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>
        {STATE_LABELS[interval.state]}
        {interval.quality === "valid" ? "" : `, ${interval.quality}`}
      </td>
      <td>{energy(interval.own_use_wh)}</td>
      <td>{energy(interval.bought_wh)}</td>
      <td>{energy(interval.sold_wh)}</td>
      <td>{utilityLabel(interval.utility_wh)}</td>
      <td>{interval.price_mills === null ? "–" : price(interval.price_mills)}</td>
      <td>{signedMoney(interval.saved_micros, currency)}</td>
      <td>
        <IntervalProofs billLine={billLine} startAt={interval.start_at} name={name} />
      </td>
    </tr>
  );
}

function WideTable({ intervals }: { intervals: readonly IntervalProps[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a long table must scroll by keyboard
    <section className={styles.tableBox} tabIndex={0} aria-label="The day's intervals as a table">
      <table className={styles.table}>
        <thead>
          <tr>
            {COLUMNS.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {intervals.map((props) => (
            <Row key={props.interval.start_at} {...props} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** A moment after the site's day, in which every correction so far was made; the same the whole day. */
const afterTheDay = (today: Today) => new Date(Date.parse(today.day_start_at) + LONGEST_DAY_MS).toISOString();

export function DayTable({ today, place }: { today: Today; place: Place }) {
  const isPhone = useIsPhone();
  const { data: site } = useSite();
  const [count, setCount] = useState(PAGE_SIZE);
  const newest = today.intervals.toReversed().slice(0, count);
  const { data: billLines, isError } = useBillLines(newest.at(-1)?.start_at, afterTheDay(today));
  if (newest.length === 0) {
    return <p className={ui.quiet}>No interval of today has closed yet. The first one appears here.</p>;
  }
  const currency = site?.currency ?? "";
  const intervals = newest.map((interval) => ({
    interval,
    billLine: billLines?.get(interval.start_at),
    place,
    currency,
  }));
  return (
    <>
      {isError ? <Warning>The hub does not give the newest proofs at the moment.</Warning> : null}
      {isPhone ? <DayCards intervals={intervals} /> : <WideTable intervals={intervals} />}
      {count < today.intervals.length ? (
        <button
          type="button"
          className={`${ui.button} ${styles.earlier}`}
          onClick={() => setCount(count + PAGE_SIZE)}
        >
          Earlier intervals
        </button>
      ) : null}
    </>
  );
}
