// The day in one sentence: what the participant is doing right now, with whom, and at what price.
import { day, dayAndInterval, interval, type Place, power, price, time } from "../../lib/format";
import type { DayInterval, Today } from "./queries";

export type Tariffs = { export_mills: number; import_mills: number };

/** Power below this says nothing about giving or taking on a campus socket. */
const IDLE_W = 5;

/** The hub is asked every half minute: an older answer is not the present. */
const STALE_MS = 75_000;

/** Marks an old answer as stale, as the hub marks an old reading. */
export const withStaleness = (today: Today, now: Date): Today =>
  now.getTime() - Date.parse(today.now) > STALE_MS ? { ...today, stale: true } : today;

export type Tone = "sold" | "bought" | "utility" | "none";

/** The participant's newest cleared interval, while it still says something about the present. */
function latestCleared({ intervals, last, ...today }: Today): DayInterval | null {
  const cleared = [last, ...intervals].findLast((item) => item !== null && item.state !== "attested");
  if (!cleared) return null;
  const [start, end] = [Date.parse(cleared.start_at), Date.parse(cleared.end_at)];
  const grace = Date.parse(today.next_clearing_latest_at) - Date.parse(today.next_clearing_at);
  // The interval before the running one may not be cleared yet; an older one is history
  return Date.parse(today.now) - end <= 2 * (end - start) + grace ? cleared : null;
}

const isIdle = (today: Today) => today.stale || Math.abs(today.power_w ?? 0) < IDLE_W;

/** The latest cleared interval, when neighbours were the counterparty in it; null when the utility is. */
function peerInterval(today: Today): DayInterval | null {
  const cleared = isIdle(today) ? null : latestCleared(today);
  const traded = (today.power_w ?? 0) < 0 ? cleared?.sold_wh : cleared?.bought_wh;
  return cleared?.price_mills != null && (traded ?? 0) > 0 ? cleared : null;
}

/** The colour of the power in the sentence: sold to neighbours, bought from them, or the utility's. */
export function tone(today: Today): Tone {
  if (isIdle(today)) return "none";
  if (!peerInterval(today)) return "utility";
  return (today.power_w ?? 0) < 0 ? "sold" : "bought";
}

export function summarySentence(
  today: Today,
  tariffs: Tariffs | null,
  currency: string,
  place: Place,
): string {
  const watts = today.power_w;
  if (watts === null) return "Your meters have not told their power yet.";
  const verb = watts < 0 ? "giving" : "taking";
  if (today.stale && today.power_at)
    return `At ${time(today.power_at, place)} you were ${verb} ${power(watts)}. Nothing has come since.`;
  if (Math.abs(watts) < IDLE_W) return "You make exactly what you use.";
  const perKwh = (mills: number) => `${currency} ${price(mills)} per kWh`;
  const peers = peerInterval(today);
  if (!peers || peers.price_mills === null) {
    const tariff = watts < 0 ? tariffs?.export_mills : tariffs?.import_mills;
    const side = watts < 0 ? "to" : "from";
    return `You are ${verb} ${power(watts)} ${side} the utility${tariff === undefined ? "" : ` at ${perKwh(tariff)}`}.`;
  }
  if (watts > 0) {
    const chargesMills = peers.charges_micros / peers.bought_wh;
    return `You are taking ${power(watts)}, from your neighbours first, at ${perKwh(peers.price_mills + chargesMills)}.`;
  }
  return peers.utility_wh > 0
    ? `You are giving ${power(watts)}, to your neighbours first, at ${perKwh(peers.price_mills)}.`
    : `You are giving ${power(watts)} to your neighbours at ${perKwh(peers.price_mills)}.`;
}

const intervals = (count: number) => (count === 1 ? "1 interval" : `${count} intervals`);

/** Says which of the day's energy was not measured yet; null when all was. What was corrected has its own notices. */
export function qualityNote({ intervals: day }: Today): string | null {
  const estimated = day.filter((item) => item.quality !== "valid").length;
  if (estimated === 0) return null;
  return (
    `${intervals(estimated)} of today ${estimated === 1 ? "is" : "are"} estimated, at the utility's tariff: ` +
    "this will be corrected when the missing readings come."
  );
}

type PricePlace = Place & { interval_s: number; currency: string };

/** Says which price the sentence names, and of when, so that nobody takes it for the running interval's. */
export function priceNote(today: Today, place: PricePlace): string {
  const intervalFrom = (start: string) => {
    const end = new Date(Date.parse(start) + place.interval_s * 1000).toISOString();
    const isToday = day(start, place) === day(today.now, place);
    return isToday ? interval(start, end, place) : dayAndInterval(start, end, place);
  };
  const peers = peerInterval(today);
  if (peers)
    return `That is the last price, of ${intervalFrom(peers.start_at)}. The running interval finds its own when it has closed.`;
  if (today.price_mills === null || today.price_start_at === null)
    return "Nothing has changed hands between neighbours yet: the utility's tariffs count.";
  const last = `The last price between neighbours was ${place.currency} ${price(today.price_mills)}, of ${intervalFrom(today.price_start_at)}.`;
  return tone(today) === "utility" ? `That is the utility's tariff. ${last}` : last;
}
