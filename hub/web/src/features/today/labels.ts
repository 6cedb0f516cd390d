// Words for the values of the Today page: states of an interval, directions, events.
import { energy, price } from "../../lib/format";
import type { DayInterval, RecentEvent, Today } from "./queries";

export const STATE_LABELS: Record<DayInterval["state"], string> = {
  attested: "metered",
  cleared: "cleared",
  planned: "settling",
  settling: "settling",
  closed: "settled",
  reconciled: "checked",
};

export const DIRECTION_LABELS: Record<Today["direction"], string> = {
  giving: "more made than used",
  taking: "more used than made",
  balanced: "made and used in balance",
  unknown: "no reading yet",
};

/** Energy exchanged with the utility, in Wh, positive when it was sold; with the direction in words. */
export const utilityLabel = (wh: number) =>
  wh === 0 ? energy(0) : `${energy(Math.abs(wh))} ${wh > 0 ? "out" : "in"}`;

/** The price in mills per kWh that was got or paid, charges included: the mean where an event sums several trades. */
function allInMills({ wh, micros }: RecentEvent): number | null {
  return wh && micros !== null ? Math.round(Math.abs(micros) / wh) : null;
}

export function eventLabel(event: RecentEvent, currency: string): string {
  const mills = allInMills(event);
  const atPrice = mills === null ? "" : ` at ${currency} ${price(mills)} per kWh`;
  switch (event.kind) {
    case "sold":
      return `Sold ${energy(event.wh ?? 0)} to your neighbours${atPrice}`;
    case "bought":
      return `Bought ${energy(event.wh ?? 0)} from your neighbours${atPrice}`;
    case "settled":
      return (event.micros ?? 0) < 0 ? "The money was paid" : "The money has come";
    case "reconciled":
      return "Checked: meters, market and chain agree";
  }
}
