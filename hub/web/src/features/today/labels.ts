// What happened to a participant, in words.
import { energy, price } from "../../lib/format";
import type { Happened } from "./queries";

/** What a kWh brought or cost, charges included, as the trade itself shows it; the mean of several trades. */
function ownMills({ wh, micros }: Happened): number | null {
  return wh && micros !== null ? Math.round(Math.abs(micros) / wh) : null;
}

export function words(one: Happened, currency: string): string {
  const mills = ownMills(one);
  const at = mills === null ? "" : ` at ${currency} ${price(mills)} per kWh`;
  switch (one.kind) {
    case "sold":
      return `Sold ${energy(one.wh ?? 0)} to your neighbours${at}`;
    case "bought":
      return `Bought ${energy(one.wh ?? 0)} from your neighbours${at}`;
    case "settled":
      return (one.micros ?? 0) < 0 ? "The money was paid" : "The money has come";
    case "reconciled":
      return "Final: meters, market and chain agree";
  }
}
