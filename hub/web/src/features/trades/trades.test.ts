import { expect, test } from "vitest";
import type { Trade } from "./queries";
import { nextOrder, sortTrades } from "./sort";

const trade = (values: Partial<Trade>): Trade => ({
  trade_id: "00".repeat(32),
  start_at: "2026-06-01T09:30:00Z",
  end_at: "2026-06-01T09:45:00Z",
  side: "sell",
  kind: "ex_post",
  zone: "campus",
  wh: 100,
  price_mills: 4000,
  charges_mills: 0,
  micros: 400_000,
  traded_at: "2026-06-01T09:45:06Z",
  state: "final",
  ...values,
});

test("amounts sort with their sign: what was paid stands below what came in", () => {
  const trades = [trade({ side: "buy", micros: 900_000 }), trade({ micros: 1 }), trade({ micros: 5 })];
  const order = sortTrades(trades, { column: "amount", descending: true });
  expect(order.map((sorted) => sorted.micros)).toEqual([5, 1, 900_000]);
});

test("prices sort as they are shown: charges included", () => {
  const trades = [
    trade({ price_mills: 4100 }),
    trade({ side: "buy", price_mills: 4000, charges_mills: 130 }),
  ];
  const order = sortTrades(trades, { column: "price", descending: true });
  expect(order.map((sorted) => sorted.price_mills)).toEqual([4000, 4100]);
});

test("states sort along the path, not by the alphabet", () => {
  const trades = [trade({ state: "sent" }), trade({ state: "cleared" }), trade({ state: "final" })];
  expect(sortTrades(trades, { column: "state", descending: false }).map((sorted) => sorted.state)).toEqual([
    "cleared",
    "sent",
    "final",
  ]);
});

test("the same column is reversed, another one starts with its largest", () => {
  const first = { column: "interval", descending: true } as const;
  expect(nextOrder(first, "interval")).toEqual({ column: "interval", descending: false });
  expect(nextOrder(first, "price")).toEqual({ column: "price", descending: true });
});
