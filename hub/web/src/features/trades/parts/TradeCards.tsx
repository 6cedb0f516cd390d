// Trades as cards, for a phone.
import { Link } from "@tanstack/react-router";
import { dayAndInterval, energy, price, signedMoney } from "../../../lib/format";
import type { Site } from "../../../lib/site";
import ui from "../../../ui/ui.module.css";
import { allInMills, signedMicros } from "../labels";
import type { Trade } from "../queries";
import styles from "../styles.module.css";
import { StatePath } from "./StatePath";
import { TradeSide } from "./TradeSide";

export function TradeCards({ trades, site }: { trades: readonly Trade[]; site: Site }) {
  return (
    <ul className={styles.cards}>
      {trades.map((trade) => (
        <li key={trade.trade_id}>
          <Link to="/trades/$tradeId" params={{ tradeId: trade.trade_id }} className={styles.card}>
            <span className={ui.quiet}>{dayAndInterval(trade.start_at, trade.end_at, site)}</span>
            <b className={styles.right}>{signedMoney(signedMicros(trade), site.currency)}</b>
            <span>
              <TradeSide side={trade.side} /> {energy(trade.wh)} at {site.currency} {price(allInMills(trade))}{" "}
              per kWh
            </span>
            <StatePath state={trade.state} />
          </Link>
        </li>
      ))}
    </ul>
  );
}
