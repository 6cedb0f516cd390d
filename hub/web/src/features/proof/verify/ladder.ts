// The ladder: five rungs from a reading's bytes to the chain, each verified here as far as its bytes reach.
import { verifyChain, verifyFrame, verifyInterval, verifyLine, verifyReading } from "./checks";
import type { ProofDocument } from "./document";
import { type ProofRequest, type Rung, TITLES } from "./rungs";

const STEPS: [Rung["id"], (proof: ProofDocument, request: ProofRequest | null) => Promise<Rung> | Rung][] = [
  ["reading", verifyReading],
  ["frame", verifyFrame],
  ["interval", verifyInterval],
  ["line", verifyLine],
  ["chain", verifyChain],
];

export function waitingRungs(): Rung[] {
  return STEPS.map(([id]) => ({
    id,
    title: TITLES[id],
    state: "waiting",
    sentence: "Not checked yet",
    checks: [],
    shown: [],
  }));
}

/** Verifies rung by rung, from the bottom up; what can not even be read is a broken rung, never an exception. */
export async function* verifyLadder(
  proof: ProofDocument,
  request: ProofRequest | null,
): AsyncGenerator<Rung> {
  for (const [id, verify] of STEPS) {
    try {
      yield await verify(proof, request);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      yield {
        id,
        title: TITLES[id],
        state: "broken",
        sentence: `This part of the proof can not be read: ${why}.`,
        checks: [],
        shown: [],
      };
    }
  }
}

export type ProofVerdict = {
  state: "checking" | "verified" | "consistent" | "broken";
  sentence: string;
  /** What the sentence leaves open. */
  open?: string;
};

const ROOT_NAMES: Partial<Record<Rung["id"], string>> = { interval: "interval", line: "settlement line" };

/** Says what fits roots that nobody compared with the chain. */
function uncomparedRoots(rungs: readonly Rung[]): string {
  const fits = rungs.flatMap(({ id, state }) => (state === "consistent" ? (ROOT_NAMES[id] ?? []) : []));
  if (fits.length === 0) return "";
  return fits.length === 1
    ? `Its ${fits[0]} fits the root shown, which is not compared with the chain here.`
    : `Its ${fits.join(" and ")} fit the roots shown, which are not compared with the chain here.`;
}

/** Sums up the ladder in words: no more than what was verified. */
export function verdictOf(rungs: readonly Rung[]): ProofVerdict {
  const broken = rungs.find((rung) => rung.state === "broken");
  if (broken)
    return { state: "broken", sentence: `Do not trust this reading: "${broken.title}" does not hold.` };
  if (rungs.some((rung) => rung.state === "waiting"))
    return { state: "checking", sentence: "Checking in your browser" };
  if (rungs.some((rung) => rung.id === "frame" && rung.state === "verified"))
    return {
      state: "verified",
      sentence: "This reading is as its gateway signed it.",
      open: `Verified with the key that the hub's register gives for the gateway. ${uncomparedRoots(rungs)}`.trim(),
    };
  return {
    state: "consistent",
    sentence: "This file fits together. That proves nothing by itself.",
    open: "Whoever wrote the file chose its key and its roots too: a file can not say whether the key is the gateway's.",
  };
}
