// Three lines of what happened lately, each open to its trade.
import { Link } from "@tanstack/react-router";
import { ago, interval, signedMoney } from "../../../lib/format";
import type { Site } from "../../../lib/site";
import { useNow } from "../../../lib/useNow";
import { Card } from "../../../ui/Card";
import { words } from "../labels";
import type { Happened, Today } from "../queries";
import styles from "../styles.module.css";

function Line({ one, site, now }: { one: Happened; site: Site; now: Date }) {
  const signed = one.micros === null ? null : one.kind === "bought" ? -Math.abs(one.micros) : one.micros;
  const text = words(one, site.currency);
  return (
    <li className={styles.happened} data-kind={one.kind}>
      <span className={styles.happenedMark} aria-hidden="true" />
      <div>
        <p>
          {one.trade_id ? (
            <Link to="/trades/$tradeId" params={{ tradeId: one.trade_id }}>
              {text}
            </Link>
          ) : one.kind === "reconciled" ? (
            text
          ) : (
            <Link to="/trades">{text}</Link>
          )}
        </p>
        <p className={styles.quiet}>
          {interval(one.start_at, one.end_at, site)}, {ago(one.at, now)}
        </p>
      </div>
      {signed === null ? null : <b>{signedMoney(signed, site.currency)}</b>}
    </li>
  );
}

export function RecentEvents({ today, site }: { today: Today; site: Site }) {
  const now = useNow(10_000);
  return (
    <Card
      title="What happened"
      aside={
        <Link to="/trades" className={styles.all}>
          All trades
        </Link>
      }
    >
      {today.happened.length === 0 ? (
        <p className={styles.quiet}>
          Nothing yet. What you trade with your neighbours appears here a moment after an interval closes.
        </p>
      ) : (
        <ul className={styles.lately}>
          {today.happened.map((one) => (
            <Line key={`${one.kind} ${one.start_at} ${one.trade_id ?? ""}`} one={one} site={site} now={now} />
          ))}
        </ul>
      )}
    </Card>
  );
}
