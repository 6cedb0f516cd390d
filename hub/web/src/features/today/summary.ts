// The day in one sentence: what one is doing right now, with whom, and at what price.
import { day, dayAndInterval, interval, type Place, power, price, time } from "../../lib/format";
import type { DayInterval, Today } from "./queries";

export type Tariffs = { export_mills: number; import_mills: number };

/** Below this a campus socket says nothing about giving or taking. */
const NOTHING_W = 5;

/** An answer is asked for every half minute: one that is older than this tells of no present. */
const OLD_MS = 75_000;

/** The day as it may be told at this moment: an old answer is as stale as an old reading. */
export const asOf = (today: Today, now: Date): Today =>
  now.getTime() - Date.parse(today.now) > OLD_MS ? { ...today, stale: true } : today;

export type Tone = "sold" | "bought" | "utility" | "none";

/** One's own newest cleared interval, while it still says something about the present. */
function lately({ intervals, last, ...today }: Today): DayInterval | null {
  const cleared = [last, ...intervals].findLast((one) => one !== null && one.state !== "attested");
  if (!cleared) return null;
  const [start, end] = [Date.parse(cleared.start_at), Date.parse(cleared.end_at)];
  const grace = Date.parse(today.next_clearing_latest_at) - Date.parse(today.next_clearing_at);
  // The interval before the running one may not be cleared yet; an older one is history
  return Date.parse(today.now) - end <= 2 * (end - start) + grace ? cleared : null;
}

const idle = (today: Today) => today.stale || Math.abs(today.power_w ?? 0) < NOTHING_W;

/** The interval in which neighbours were the other side of what one does now; null when the utility is. */
function withPeers(today: Today): DayInterval | null {
  const cleared = idle(today) ? null : lately(today);
  const traded = (today.power_w ?? 0) < 0 ? cleared?.sold_wh : cleared?.bought_wh;
  return cleared?.price_mills != null && (traded ?? 0) > 0 ? cleared : null;
}

/** Whose colour the power has: what neighbours get, what they give, or the utility's. */
export function tone(today: Today): Tone {
  if (idle(today)) return "none";
  if (!withPeers(today)) return "utility";
  return (today.power_w ?? 0) < 0 ? "sold" : "bought";
}

export function sentence(today: Today, tariffs: Tariffs | null, currency: string, place: Place): string {
  const watts = today.power_w;
  if (watts === null) return "Your meters have not told their power yet.";
  const verb = watts < 0 ? "giving" : "taking";
  if (today.stale && today.power_at)
    return `At ${time(today.power_at, place)} you were ${verb} ${power(watts)}. Nothing has come since.`;
  if (Math.abs(watts) < NOTHING_W) return "You make exactly what you use.";
  const per = (mills: number) => `${currency} ${price(mills)} per kWh`;
  const peers = withPeers(today);
  if (!peers || peers.price_mills === null) {
    const tariff = watts < 0 ? tariffs?.export_mills : tariffs?.import_mills;
    const side = watts < 0 ? "to" : "from";
    return `You are ${verb} ${power(watts)} ${side} the utility${tariff === undefined ? "" : ` at ${per(tariff)}`}.`;
  }
  if (watts > 0) {
    const charges = peers.charges_micros / peers.bought_wh;
    return `You are taking ${power(watts)}, from your neighbours first, at ${per(peers.price_mills + charges)}.`;
  }
  return peers.utility_wh > 0
    ? `You are giving ${power(watts)}, to your neighbours first, at ${per(peers.price_mills)}.`
    : `You are giving ${power(watts)} to your neighbours at ${per(peers.price_mills)}.`;
}

type NotePlace = Place & { interval_s: number; currency: string };

/** Which price the sentence names, and of when, so that nobody takes it for the running interval's. */
export function priceNote(today: Today, place: NotePlace): string {
  const when = (start: string) => {
    const end = new Date(Date.parse(start) + place.interval_s * 1000).toISOString();
    const sameDay = day(start, place) === day(today.now, place);
    return sameDay ? interval(start, end, place) : dayAndInterval(start, end, place);
  };
  const peers = withPeers(today);
  if (peers)
    return `That is the last price, of ${when(peers.start_at)}. The running interval finds its own when it has closed.`;
  if (today.price_mills === null || today.price_start_at === null)
    return "Nothing has changed hands between neighbours yet: the utility's tariffs count.";
  const last = `The last price between neighbours was ${place.currency} ${price(today.price_mills)}, of ${when(today.price_start_at)}.`;
  return tone(today) === "utility" ? `That is the utility's tariff. ${last}` : last;
}
