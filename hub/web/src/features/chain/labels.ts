// Words for what stands on the chain: moments, figures with their unit, what an account is for.
import { day, energy, exactMoney, price, time } from "../../lib/format";
import type { Site } from "../../lib/site";

/** A moment on the chain, on the site's clock. */
export const moment = (at: string | Date, site: Site) => `${day(at, site)}, ${time(at, site)}`;

/** Seconds of the years 2001 to 2128: smaller ones count something else, or stand for "not yet". */
const isMoment = (value: number) => value > 1_000_000_000 && value < 5_000_000_000;

/** What a whole number of this name means to a person; null when the number says it all. */
export function meaning(name: string, value: number, site: Site): string | null {
  if (name.endsWith("_micros")) return exactMoney(value, site.currency);
  if (name.endsWith("_wh") || name === "wh") return energy(value);
  if (name.endsWith("_mills")) return `${site.currency} ${price(value)} per kWh`;
  if (name.endsWith("_s") && isMoment(value)) return moment(new Date(value * 1000), site);
  return null;
}

/** How far a transaction has come, in the word that a trade's path has for it. */
export const levelWord = (level: string | null) =>
  level === null || level === "finalized" ? "final" : level === "processed" ? "sent" : level;

export const short = (text: string) => (text.length > 20 ? `${text.slice(0, 8)}…${text.slice(-6)}` : text);

export const sol = (lamports: number) =>
  `${(lamports / 1e9).toLocaleString("en-GB", { maximumFractionDigits: 9 })} SOL`;

export const PURPOSE: Record<string, string> = {
  registry: "Who may take part: participants, gateways and their keys, meters",
  oracle: "What was measured: each interval's root, attested",
  energy_token: "Energy as tokens: minted when attested, burned when settled",
  trading: "Money: accounts, mandates and the settlement of each interval",
  governance: "Who decides: authorities, rates, pause",
};
