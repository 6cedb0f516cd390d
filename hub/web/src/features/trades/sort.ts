// Sorts the trades that are loaded by one column; equal ones stay newest first.

import { allInMills, STEPS, signedMicros } from "./labels";
import type { Trade } from "./queries";

export type Column = "interval" | "side" | "energy" | "price" | "amount" | "state";
export type Order = { column: Column; descending: boolean };

const KEY: Record<Column, (trade: Trade) => number | string> = {
  interval: (trade) => trade.start_at,
  side: (trade) => trade.side,
  energy: (trade) => trade.wh,
  price: allInMills,
  amount: signedMicros,
  state: (trade) => STEPS.indexOf(trade.state),
};

export function sorted(trades: readonly Trade[], { column, descending }: Order): Trade[] {
  const key = KEY[column];
  const compare = (one: Trade, other: Trade) => {
    const [left, right] = [key(one), key(other)];
    return left < right ? -1 : left > right ? 1 : 0;
  };
  return trades.toSorted((one, other) => (descending ? compare(other, one) : compare(one, other)));
}

/** Another column starts with its largest; the same column turns round. */
export function next(order: Order, column: Column): Order {
  return { column, descending: order.column === column ? !order.descending : true };
}
