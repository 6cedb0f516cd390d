// The ladder: five rungs from a reading's bytes to the chain, each verified here from the bytes alone.
import { verifyChain, verifyFrame, verifyInterval, verifyLine, verifyReading } from "./checks";
import type { ProofDocument } from "./document";
import { type Rung, TITLES } from "./rungs";

const STEPS: [Rung["id"], (proof: ProofDocument) => Promise<Rung> | Rung][] = [
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
export async function* climbLadder(proof: ProofDocument): AsyncGenerator<Rung> {
  for (const [id, verify] of STEPS) {
    try {
      yield await verify(proof);
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

export type Outcome = { state: "checking" | "verified" | "broken"; sentence: string };

/** The whole ladder in one sentence. */
export function outcome(rungs: readonly Rung[]): Outcome {
  const broken = rungs.find((rung) => rung.state === "broken");
  if (broken)
    return { state: "broken", sentence: `Do not trust this reading: "${broken.title}" does not hold.` };
  if (rungs.some((rung) => rung.state === "waiting"))
    return { state: "checking", sentence: "Checking in your browser" };
  const green = rungs.filter((rung) => rung.state === "verified").length;
  return {
    state: "verified",
    sentence: `Your browser verified ${green} of ${rungs.length} rungs. Nothing was changed since the gateway signed it.`,
  };
}
