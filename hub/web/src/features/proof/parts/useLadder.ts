// Climbs the ladder of a proof and tells the rungs as they are verified; `asked` must stay the same object between renders.
import { useEffect, useState } from "react";
import type { ProofDocument } from "../verify/document";
import { climbLadder, waitingRungs } from "../verify/ladder";
import type { Asked, Rung } from "../verify/rungs";

export function useLadder(proof: ProofDocument | undefined, asked: Asked | null): Rung[] {
  const [rungs, setRungs] = useState<Rung[]>(waitingRungs);
  useEffect(() => {
    let current = true;
    setRungs(waitingRungs());
    async function climb(from: ProofDocument): Promise<void> {
      for await (const verified of climbLadder(from, asked)) {
        if (!current) return;
        setRungs((all) => all.map((rung) => (rung.id === verified.id ? verified : rung)));
      }
    }
    if (proof) void climb(proof);
    return () => {
      current = false;
    };
  }, [proof, asked]);
  return rungs;
}
