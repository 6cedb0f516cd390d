// Trades as cards, for a phone.
import { Link } from "@tanstack/react-router";
import { dayAndInterval, energy, price, signedMoney } from "../../../lib/format";
import type { Site } from "../../../lib/site";
import { allInMills, sideWord, signedMicros } from "../labels";
import type { Trade } from "../queries";
import styles from "../styles.module.css";
import { StatePath } from "./StatePath";

export function TradeCards({ trades, site }: { trades: readonly Trade[]; site: Site }) {
  return (
    <ul className={styles.cards}>
      {trades.map((trade) => (
        <li key={trade.trade_id}>
          <Link to="/trades/$tradeId" params={{ tradeId: trade.trade_id }} className={styles.card}>
            <span className={styles.quiet}>{dayAndInterval(trade.start_at, trade.end_at, site)}</span>
            <b className={styles.right}>{signedMoney(signedMicros(trade), site.currency)}</b>
            <span>
              <span className={styles.side} data-side={trade.side}>
                {sideWord(trade)}
              </span>{" "}
              {energy(trade.wh)} at {site.currency} {price(allInMills(trade))} per kWh
            </span>
            <StatePath state={trade.state} />
          </Link>
        </li>
      ))}
    </ul>
  );
}
