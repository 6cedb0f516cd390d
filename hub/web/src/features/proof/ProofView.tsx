// A proof with its verdict in one sentence, the ladder, and the file to take away.
import type { ReactNode } from "react";
import { buttonClass } from "../../ui/buttons";
import { type ProofDocument, saveProofFile } from "./document";
import { Ladder } from "./Ladder";
import { outcome } from "./ladder";
import styles from "./proof.module.css";
import { useLadder } from "./useLadder";

type Props = { proof: ProofDocument | undefined; source: ReactNode; action?: ReactNode };

export function ProofView({ proof, source, action }: Props) {
  const rungs = useLadder(proof);
  const verdict = outcome(rungs);
  return (
    <>
      <header className={styles.verdict} data-state={verdict.state}>
        <div>
          <p className={styles.source}>{source}</p>
          <h1 data-testid="verdict">{verdict.sentence}</h1>
        </div>
        <div className={styles.actions}>
          {proof ? (
            <button type="button" className={buttonClass} onClick={() => saveProofFile(proof)}>
              Download the proof
            </button>
          ) : null}
          {action}
        </div>
      </header>
      <Ladder rungs={rungs} />
      <p className={styles.foot}>
        The file holds everything above. Check it without this site and without a network:{" "}
        <code>peerwatt-edge verify FILE</code>
      </p>
    </>
  );
}
