// The day's bars as a table, newest first, each interval open to the readings behind it.
import { useState } from "react";
import { energy, interval, type Place, price, signedMoney } from "../../lib/format";
import { useSite } from "../../lib/site";
import { buttonClass } from "../../ui/buttons";
import { ProofLink } from "../../ui/ProofLink";
import { type BillLine, type DayInterval, type Today, useBillLines } from "./queries";
import styles from "./today.module.css";

const STEP = 48;
const STATES: Record<DayInterval["state"], string> = {
  attested: "metered",
  cleared: "cleared",
  planned: "settling",
  settling: "settling",
  closed: "settled",
  reconciled: "final",
};

const utility = (wh: number) => (wh === 0 ? energy(0) : `${energy(Math.abs(wh))} ${wh > 0 ? "out" : "in"}`);

type RowProps = { row: DayInterval; line: BillLine | undefined; place: Place; currency: string };

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
        {line?.meters.map((meter) => (
          <ProofLink
            key={meter.meter_id}
            readingId={meter.end_reading_id ?? meter.start_reading_id}
            interval={row.start_at}
            of={`${meter.meter_id}, ${name}`}
          >
            {line.meters.length > 1 ? meter.meter_id : "Show proof"}
          </ProofLink>
        ))}
      </td>
    </tr>
  );
}

export function DayTable({ today, place }: { today: Today; place: Place }) {
  const { data: site } = useSite();
  const [shown, setShown] = useState(STEP);
  const rows = today.intervals.toReversed().slice(0, shown);
  const { data: lines } = useBillLines(rows.at(-1)?.start_at, rows[0]?.end_at);
  if (rows.length === 0) {
    return <p className={styles.quiet}>No interval of today has closed yet. The first one appears here.</p>;
  }
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table must scroll by keyboard */}
      <section className={styles.tableBox} tabIndex={0} aria-label="The day's intervals as a table">
        <table className={styles.table}>
          <thead>
            <tr>
              {["Interval", "State", "Own use", "Bought", "Sold", "Utility", "Price", "Saved", "Proof"].map(
                (name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ),
              )}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row
                key={row.start_at}
                row={row}
                line={lines?.get(row.start_at)}
                place={place}
                currency={site?.currency ?? ""}
              />
            ))}
          </tbody>
        </table>
      </section>
      {shown < today.intervals.length ? (
        <button type="button" className={buttonClass} onClick={() => setShown(shown + STEP)}>
          Earlier intervals
        </button>
      ) : null}
    </>
  );
}
