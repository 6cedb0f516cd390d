// Verifies the ladder of a proof, and gives its rungs as they are verified; `request` must stay the same object between renders.
import { useEffect, useState } from "react";
import type { ProofDocument } from "../verify/document";
import { verifyLadder, waitingRungs } from "../verify/ladder";
import type { ProofRequest, Rung } from "../verify/rungs";

export function useLadder(proof: ProofDocument, request: ProofRequest | null): Rung[] {
  const [rungs, setRungs] = useState<Rung[]>(waitingRungs);
  useEffect(() => {
    let current = true;
    setRungs(waitingRungs());
    async function verify(): Promise<void> {
      for await (const verified of verifyLadder(proof, request)) {
        if (!current) return;
        setRungs((all) => all.map((rung) => (rung.id === verified.id ? verified : rung)));
      }
    }
    void verify();
    return () => {
      current = false;
    };
  }, [proof, request]);
  return rungs;
}
