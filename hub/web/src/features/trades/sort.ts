// Sorts the trades that are loaded by one column; equal ones stay newest first.
import { allInMills, STATES, signedMicros } from "./labels";
import type { Trade } from "./queries";

export type Column = "interval" | "side" | "energy" | "price" | "amount" | "state";
export type SortOrder = { column: Column; descending: boolean };

const SORT_KEYS: Record<Column, (trade: Trade) => number | string> = {
  interval: (trade) => trade.start_at,
  side: (trade) => trade.side,
  energy: (trade) => trade.wh,
  price: allInMills,
  amount: signedMicros,
  state: (trade) => STATES.indexOf(trade.state),
};

export function sortTrades(trades: readonly Trade[], { column, descending }: SortOrder): Trade[] {
  const key = SORT_KEYS[column];
  const compare = (a: Trade, b: Trade) => {
    const [left, right] = [key(a), key(b)];
    return left < right ? -1 : left > right ? 1 : 0;
  };
  return trades.toSorted((a, b) => (descending ? compare(b, a) : compare(a, b)));
}

/** The order after a press on a column's head: another column starts with its largest, the same one is reversed. */
export function nextOrder(order: SortOrder, column: Column): SortOrder {
  return { column, descending: order.column === column ? !order.descending : true };
}
