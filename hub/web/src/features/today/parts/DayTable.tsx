// The day's bars as a table, on a phone as cards, newest first, each interval open to the readings behind it.

import { useState } from "react";
import { energy, interval, type Place, price, signedMoney } from "../../../lib/format";
import { useSite } from "../../../lib/site";
import { useIsPhone } from "../../../lib/useMediaQuery";
import { buttonClass } from "../../../ui/buttons";
import { StaleNote } from "../../../ui/states";
import { type Today, useBillLines } from "../queries";
import styles from "../styles.module.css";
import { DayCards } from "./DayCards";
import { Proofs, type RowProps, STATES, utility } from "./IntervalProofs";

const STEP = 48;
function Row({ row, line, place, currency }: RowProps) {
  const name = interval(row.start_at, row.end_at, place);
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>
        {STATES[row.state]}
        {row.quality === "valid" ? "" : `, ${row.quality}`}
      </td>
      <td>{energy(row.own_use_wh)}</td>
      <td>{energy(row.bought_wh)}</td>
      <td>{energy(row.sold_wh)}</td>
      <td>{utility(row.utility_wh)}</td>
      <td>{row.price_mills === null ? "–" : price(row.price_mills)}</td>
      <td>{signedMoney(row.saved_micros, currency)}</td>
      <td>
        <Proofs line={line} start={row.start_at} name={name} />
      </td>
    </tr>
  );
}

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

function Wide({ rows }: { rows: readonly RowProps[] }) {
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
          {rows.map((props) => (
            <Row key={props.row.start_at} {...props} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function DayTable({ today, place }: { today: Today; place: Place }) {
  const isPhone = useIsPhone();
  const { data: site } = useSite();
  const [shown, setShown] = useState(STEP);
  const intervals = today.intervals.toReversed().slice(0, shown);
  const { data: lines, isError } = useBillLines(intervals.at(-1)?.start_at, intervals[0]?.end_at);
  if (intervals.length === 0) {
    return <p className={styles.quiet}>No interval of today has closed yet. The first one appears here.</p>;
  }
  const currency = site?.currency ?? "";
  const rows = intervals.map((row) => ({ row, line: lines?.get(row.start_at), place, currency }));
  return (
    <>
      {isError ? <StaleNote>The hub does not give the newest proofs at the moment.</StaleNote> : null}
      {isPhone ? <DayCards rows={rows} /> : <Wide rows={rows} />}
      {shown < today.intervals.length ? (
        <button type="button" className={buttonClass} onClick={() => setShown(shown + STEP)}>
          Earlier intervals
        </button>
      ) : null}
    </>
  );
}
