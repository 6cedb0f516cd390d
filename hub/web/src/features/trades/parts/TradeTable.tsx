// Trades as a table that sorts, for wide screens.
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { dayAndInterval, energy, price, signedMoney } from "../../../lib/format";
import type { Site } from "../../../lib/site";
import ui from "../../../ui/ui.module.css";
import { allInMills, kindLabel, signedMicros } from "../labels";
import type { Trade } from "../queries";
import { type Column, nextOrder, type SortOrder, sortTrades } from "../sort";
import styles from "../styles.module.css";
import { StatePath } from "./StatePath";
import { TradeSide } from "./TradeSide";

const COLUMNS: { column: Column; name: string; right?: boolean }[] = [
  { column: "interval", name: "Interval" },
  { column: "side", name: "What" },
  { column: "energy", name: "Energy", right: true },
  { column: "price", name: "Price per kWh", right: true },
  { column: "amount", name: "Amount", right: true },
  { column: "state", name: "State" },
];

const ariaSort = (order: SortOrder, column: Column) =>
  order.column !== column ? "none" : order.descending ? "descending" : "ascending";

function Row({ trade, site }: { trade: Trade; site: Site }) {
  return (
    <tr>
      <th scope="row">
        <Link to="/trades/$tradeId" params={{ tradeId: trade.trade_id }}>
          {dayAndInterval(trade.start_at, trade.end_at, site)}
        </Link>
      </th>
      <td>
        <TradeSide side={trade.side} /> <span className={ui.quiet}>{kindLabel(trade)}</span>
      </td>
      <td className={styles.right}>{energy(trade.wh)}</td>
      <td className={styles.right}>{price(allInMills(trade))}</td>
      <td className={styles.right}>
        <b>{signedMoney(signedMicros(trade), site.currency)}</b>
      </td>
      <td>
        <StatePath state={trade.state} />
      </td>
    </tr>
  );
}

type Props = {
  trades: readonly Trade[];
  site: Site;
  /** There are earlier trades that are not loaded, so the order is of a part. */
  partial: boolean;
};

export function TradeTable({ trades, site, partial }: Props) {
  const [order, setOrder] = useState<SortOrder>({ column: "interval", descending: true });
  const isNewestFirst = order.column === "interval" && order.descending;
  return (
    <table className={styles.table}>
      {partial && !isNewestFirst ? (
        <caption>Sorted among the {trades.length} newest trades: earlier ones are not loaded yet.</caption>
      ) : null}
      <thead>
        <tr>
          {COLUMNS.map(({ column, name, right }) => (
            <th
              key={column}
              scope="col"
              aria-sort={ariaSort(order, column)}
              className={right ? styles.right : ""}
            >
              <button type="button" onClick={() => setOrder(nextOrder(order, column))}>
                {name}
                <span aria-hidden="true" className={styles.arrow}>
                  {order.column === column ? (order.descending ? "↓" : "↑") : ""}
                </span>
              </button>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {sortTrades(trades, order).map((trade) => (
          <Row key={trade.trade_id} trade={trade} site={site} />
        ))}
      </tbody>
    </table>
  );
}
