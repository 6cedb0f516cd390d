// How numbers and times are written: every figure with its unit, every interval with both ends, on the site's clock.

/** The clock that times are written in: the site's time zone, and in the demo how far its clock is from ours. */
export type Place = { timezone: string; sun_offset_s: number };

const toSiteTime = (at: string | Date, place: Place): Date =>
  new Date(new Date(at).getTime() + place.sun_offset_s * 1000);

const MINUS = "\u2212";
const PLUS = "+";

/** Writes energy, given in Wh: below 10 kWh as Wh, above as kWh with one decimal. */
export function energy(wh: number): string {
  const size = Math.abs(wh);
  const sign = wh < 0 ? MINUS : "";
  if (size < 10_000) return `${sign}${size.toLocaleString("en-GB")} Wh`;
  return `${sign}${(size / 1000).toLocaleString("en-GB", { minimumFractionDigits: 1, maximumFractionDigits: 1 })} kWh`;
}

/** Writes power, given in W, without its sign: from 1,000 W up as kW with one decimal. */
export function power(watts: number): string {
  const size = Math.abs(watts);
  if (size < 1000) return `${Math.round(size)} W`;
  return `${(size / 1000).toFixed(1)} kW`;
}

/** Writes a price, given in mills per kWh, in the currency with two decimals; a third only where it is needed. */
export function price(mills: number): string {
  return (mills / 1000).toFixed(mills % 10 === 0 ? 2 : 3);
}

/** Writes an amount, given in micros, with two decimals, four below a tenth; the sign in front. */
export function money(micros: number, currency: string): string {
  const amount = micros / 1_000_000;
  const decimals = Math.abs(amount) < 0.1 && micros !== 0 ? 4 : 2;
  return `${amount < 0 ? MINUS : ""}${currency} ${Math.abs(amount).toFixed(decimals)}`;
}

/** Splits a written figure from its unit, for where the figure stands large. */
export function splitUnit(text: string): { figure: string; unit: string } {
  const amount = /^(\S*?)([A-Z]{3}) (\S+)$/.exec(text);
  if (amount) return { figure: `${amount[1]}${amount[3]}`, unit: amount[2] ?? "" };
  const [figure = "", unit = ""] = text.split(" ");
  return { figure, unit };
}

/** Writes an amount whose direction matters: with a plus or a minus in front. */
export function signedMoney(micros: number, currency: string): string {
  return micros > 0 ? `${PLUS}${money(micros, currency)}` : money(micros, currency);
}

/** Writes the exact amount, for those who check: all six decimals. */
export function exactMoney(micros: number, currency: string): string {
  const sign = micros < 0 ? MINUS : "";
  const size = Math.abs(micros);
  const whole = Math.floor(size / 1_000_000);
  return `${sign}${currency} ${whole}.${String(size % 1_000_000).padStart(6, "0")}`;
}

function clockTime(at: string | Date, place: Place, seconds = false): string {
  return toSiteTime(at, place).toLocaleTimeString("en-GB", {
    timeZone: place.timezone,
    hour: "2-digit",
    minute: "2-digit",
    ...(seconds ? { second: "2-digit" } : {}),
  });
}

/** Writes a moment, to the second. */
export function time(at: string | Date, place: Place): string {
  return clockTime(at, place, true);
}

/** Writes an interval as 12:00–12:15. */
export function interval(start: string | Date, end: string | Date, place: Place): string {
  return `${clockTime(start, place)}–${clockTime(end, place)}`;
}

/** Writes an interval with its day in front, for lists that reach over several days. */
export function dayAndInterval(start: string, end: string, place: Place): string {
  return `${day(start, place)}, ${interval(start, end, place)}`;
}

/** Writes a day: Tue 24 Nov. */
export function day(at: string | Date, place: Place): string {
  return toSiteTime(at, place).toLocaleDateString("en-GB", {
    timeZone: place.timezone,
    weekday: "short",
    day: "numeric",
    month: "short",
  });
}

/** Writes a moment with its day and to the minute: Tue 24 Nov, 12:15. */
export function dayAndTime(at: string | Date, place: Place): string {
  return `${day(at, place)}, ${clockTime(at, place)}`;
}

/** Writes a date of the site's calendar, given as 2026-03-12: 12 March. */
export function calendarDay(date: string): string {
  return new Date(`${date}T00:00:00Z`).toLocaleDateString("en-GB", {
    timeZone: "UTC",
    day: "numeric",
    month: "long",
  });
}

/** Writes the time that is left until a moment, as mm:ss. */
export function countdown(until: string | Date, now: Date): string {
  const leftS = Math.max(0, Math.round((new Date(until).getTime() - now.getTime()) / 1000));
  return `${String(Math.floor(leftS / 60)).padStart(2, "0")}:${String(leftS % 60).padStart(2, "0")}`;
}

/** Writes how long ago a moment was: 5 s ago, 3 min ago, 2 h ago. */
export function ago(at: string | Date, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - new Date(at).getTime()) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return `${Math.floor(seconds / 3600)} h ago`;
}
