// Words for the values that stand on the chain: moments, figures with their unit, what a program is for.
import { day, energy, exactMoney, price, time } from "../../lib/format";
import type { Site } from "../../lib/site";

/** A moment with its day, on the site's clock. */
export const dayAndTime = (at: string | Date, site: Site) => `${day(at, site)}, ${time(at, site)}`;

/** Whether these are seconds of the years 2001 to 2128: smaller numbers count something else, or stand for "not yet". */
const isTime = (seconds: number) => seconds > 1_000_000_000 && seconds < 5_000_000_000;

/** What a number in a field of this name means to a person; null when the number says it all. */
export function describeNumber(field: string, value: number, site: Site): string | null {
  if (field.endsWith("_micros")) return exactMoney(value, site.currency);
  if (field.endsWith("_wh") || field === "wh") return energy(value);
  if (field.endsWith("_mills")) return `${site.currency} ${price(value)} per kWh`;
  if (field.endsWith("_s") && isTime(value)) return dayAndTime(new Date(value * 1000), site);
  return null;
}

/** How far a transaction has come, in the word that a trade's path has for it. */
export const levelLabel = (level: string | null) =>
  level === null || level === "finalized" ? "final" : level === "processed" ? "sent" : level;

export const LEVEL_DESCRIPTIONS: Record<string, string> = {
  processed: "in a block, not yet confirmed",
  confirmed: "in a block that counts, not yet final",
  finalized: "final: it can not be undone",
};

/** The two ends of an address or a signature. */
export const abbreviate = (text: string) =>
  text.length > 20 ? `${text.slice(0, 8)}…${text.slice(-6)}` : text;

export const solText = (lamports: number) =>
  `${(lamports / 1e9).toLocaleString("en-GB", { maximumFractionDigits: 9 })} SOL`;

export const PROGRAM_PURPOSES: Record<string, string> = {
  registry: "Who may take part: participants, gateways and their keys, meters",
  oracle: "What was measured: each interval's root, attested",
  energy_token: "Energy as tokens: minted when attested, burned when settled",
  trading: "Money: accounts, mandates and the settlement of each interval",
  governance: "Who decides: authorities, rates, pause",
};
