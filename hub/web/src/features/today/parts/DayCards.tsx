// The day's intervals as cards, for a phone: nothing stands outside the screen.
import { energy, interval, price, signedMoney } from "../../../lib/format";
import styles from "../styles.module.css";
import { Proofs, type RowProps, STATES, utility } from "./IntervalProofs";

function DayCard({ row, line, place, currency }: RowProps) {
  const name = interval(row.start_at, row.end_at, place);
  const facts = [
    ["Own use", energy(row.own_use_wh)],
    ["Bought", energy(row.bought_wh)],
    ["Sold", energy(row.sold_wh)],
    ["Utility", utility(row.utility_wh)],
    ["Price", row.price_mills === null ? "\u2013" : `${price(row.price_mills)} per kWh`],
    ["Saved", signedMoney(row.saved_micros, currency)],
  ];
  return (
    <li className={styles.dayCard}>
      <div className={styles.dayCardHead}>
        <b>{name}</b>
        <span className={styles.quiet}>
          {STATES[row.state]}
          {row.quality === "valid" ? "" : `, ${row.quality}`}
        </span>
        <span className={styles.dayCardProofs}>
          <Proofs line={line} start={row.start_at} name={name} />
        </span>
      </div>
      <dl>
        {facts.map(([fact, value]) => (
          <div key={fact}>
            <dt>{fact}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </li>
  );
}

export function DayCards({ rows }: { rows: readonly RowProps[] }) {
  return (
    <ul className={styles.dayCards} aria-label="The day's intervals">
      {rows.map((props) => (
        <DayCard key={props.row.start_at} {...props} />
      ))}
    </ul>
  );
}
