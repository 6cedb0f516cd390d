// The rungs of the ladder as values: what each is called, what was checked, what is shown.

/**
 * waiting; verified or broken in this browser; consistent: it fits a key or a root that came with the proof and was not
 * compared with anything else; absent: not reached yet; told: shown, but not verifiable here.
 */
export type RungState = "waiting" | "verified" | "consistent" | "broken" | "absent" | "told";

/** What the hub was asked for; nothing stands for a file. */
export type ProofRequest = {
  readingId: string;
  interval: string | undefined;
  revision?: number | undefined;
};

/** A statement that was checked, as the end of a sentence that begins with "it holds that". */
export type Check = { says: string; holds: boolean };
export type ShownValue = {
  name: string;
  value: string;
  /** What it names on the chain, when one can go and look there. */
  on?: "account" | "transaction";
};

export type Rung = {
  id: "reading" | "frame" | "interval" | "line" | "chain";
  title: string;
  state: RungState;
  /** What this rung shows, or what is wrong with it. */
  sentence: string;
  checks: Check[];
  /** Bytes and hashes in hexadecimal, addresses and figures. */
  shown: ShownValue[];
  /** What is not verified although every check holds. */
  open?: string;
};

export const TITLES: Record<Rung["id"], string> = {
  reading: "Reading",
  frame: "Frame signature",
  interval: "Interval root",
  line: "Settlement line",
  chain: "Chain account",
};
