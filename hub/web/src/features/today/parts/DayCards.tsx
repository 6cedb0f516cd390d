// The day's intervals as cards, for a phone: nothing stands outside the screen.
import { energy, interval as intervalText, price, signedMoney } from "../../../lib/format";
import ui from "../../../ui/ui.module.css";
import { STATE_LABELS, utilityLabel } from "../labels";
import styles from "../styles.module.css";
import { IntervalProofs, type IntervalProps } from "./IntervalProofs";

function DayCard({ interval, billLine, place, currency }: IntervalProps) {
  const name = intervalText(interval.start_at, interval.end_at, place);
  const facts = [
    ["Own use", energy(interval.own_use_wh)],
    ["Bought", energy(interval.bought_wh)],
    ["Sold", energy(interval.sold_wh)],
    ["Utility", utilityLabel(interval.utility_wh)],
    ["Price", interval.price_mills === null ? "–" : `${price(interval.price_mills)} per kWh`],
    ["Saved", signedMoney(interval.saved_micros, currency)],
  ];
  return (
    <li className={styles.dayCard}>
      <div className={styles.dayCardHead}>
        <b>{name}</b>
        <span className={ui.quiet}>
          {STATE_LABELS[interval.state]}
          {interval.quality === "valid" ? "" : `, ${interval.quality}`}
        </span>
        <span className={styles.dayCardProofs}>
          <IntervalProofs billLine={billLine} startAt={interval.start_at} name={name} />
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

export function DayCards({ intervals }: { intervals: readonly IntervalProps[] }) {
  return (
    <ul aria-label="The day's intervals">
      {intervals.map((props) => (
        <DayCard key={props.interval.start_at} {...props} />
      ))}
    </ul>
  );
}
