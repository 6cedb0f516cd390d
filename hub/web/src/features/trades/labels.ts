// Words for what a trade is and where it stands, the same in the list and in the detail.
import type { Trade } from "./queries";

export const STEPS = ["cleared", "planned", "sent", "confirmed", "final"] as const;

export const STEP_MEANS: Record<Trade["state"], string> = {
  cleared: "The market matched it",
  planned: "It is part of a settlement line",
  sent: "The line was sent to the chain",
  confirmed: "It stands in a block of the chain",
  final: "It can not be undone",
};

export const sideWord = (trade: Pick<Trade, "side">) => (trade.side === "sell" ? "Sold" : "Bought");

export const kindWord = (trade: Pick<Trade, "kind">) =>
  trade.kind === "forward" ? "agreed ahead" : "after the interval";

/** What came in (positive) or went out. */
export const signedMicros = (trade: Pick<Trade, "side" | "micros">) =>
  trade.side === "sell" ? trade.micros : -trade.micros;

/** What a kWh brought or cost, charges included. */
export const allInMills = (trade: Pick<Trade, "price_mills" | "charges_mills">) =>
  trade.price_mills + trade.charges_mills;
