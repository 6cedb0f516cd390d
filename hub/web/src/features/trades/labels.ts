// Words and signed figures of a trade, the same in the list and on its page.
import type { Trade } from "./queries";

/** The states of a trade, in the order in which it passes them. */
export const STATES = ["cleared", "planned", "sent", "confirmed", "final"] as const;

export const STATE_DESCRIPTIONS: Record<Trade["state"], string> = {
  cleared: "The market matched it",
  planned: "It is part of a settlement line",
  sent: "The line was sent to the chain",
  confirmed: "It stands in a block of the chain",
  final: "It can not be undone",
};

export const sideLabel = (trade: Pick<Trade, "side">) => (trade.side === "sell" ? "Sold" : "Bought");

export const kindLabel = (trade: Pick<Trade, "kind">) =>
  trade.kind === "forward" ? "agreed ahead" : "after the interval";

/** What came in (positive) or went out, in micros. */
export const signedMicros = (trade: Pick<Trade, "side" | "micros">) =>
  trade.side === "sell" ? trade.micros : -trade.micros;

/** What a kWh brought or cost, charges included, in mills. */
export const allInMills = (trade: Pick<Trade, "price_mills" | "charges_mills">) =>
  trade.price_mills + trade.charges_mills;
