// The day in one sentence: what one is doing right now, with whom, and at what price.
import { interval, type Place, power, price } from "../../lib/format";
import type { Today } from "./queries";

export type Tariffs = { export_mills: number; import_mills: number };

/** Below this a campus socket says nothing about giving or taking. */
const NOTHING_W = 5;

export type Tone = "sold" | "bought" | "utility" | "none";

/** Whose colour the power has: what neighbours get, what they give, or the utility's. */
export function tone(today: Today): Tone {
  const watts = today.power_w ?? 0;
  if (Math.abs(watts) < NOTHING_W) return "none";
  if (today.price_mills === null) return "utility";
  if (watts < 0) return "sold";
  return (today.last?.bought_wh ?? 0) > 0 ? "bought" : "utility";
}

export function sentence(today: Today, tariffs: Tariffs | null, currency: string): string {
  const watts = today.power_w;
  if (watts === null) return "Your meters have not told their power yet.";
  if (Math.abs(watts) < NOTHING_W) return "You make exactly what you use.";
  const per = (mills: number) => `${currency} ${price(mills)} per kWh`;
  const cleared = today.price_mills !== null && today.all_in_price_mills !== null;
  if (watts < 0) {
    if (cleared && today.price_mills !== null)
      return `You are giving ${power(watts)} to your neighbours at ${per(today.price_mills)}.`;
    return `You are giving ${power(watts)} to the grid${tariffs ? ` at ${per(tariffs.export_mills)}` : ""}.`;
  }
  if (cleared && today.all_in_price_mills !== null && (today.last?.bought_wh ?? 0) > 0)
    return `You are taking ${power(watts)}, from your neighbours first, at ${per(today.all_in_price_mills)}.`;
  return `You are taking ${power(watts)} from the grid${tariffs ? ` at ${per(tariffs.import_mills)}` : ""}.`;
}

/** Where the sentence's price comes from, so that nobody takes it for the running interval's. */
export function priceNote(today: Today, place: Place & { interval_s: number }): string {
  if (today.price_mills === null || today.price_start_at === null)
    return "Nothing has changed hands between neighbours yet: the utility's tariffs count.";
  const start = new Date(today.price_start_at);
  const end = new Date(start.getTime() + place.interval_s * 1000);
  return `Last price, of ${interval(start, end, place)}. The running interval finds its own when it has closed.`;
}
