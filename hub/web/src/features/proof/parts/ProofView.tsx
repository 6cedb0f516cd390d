// A proof with its verdict in one sentence, the ladder, and the file to take away.
import type { ReactNode } from "react";
import { buttonClass } from "../../../ui/buttons";
import styles from "../styles.module.css";
import { type ProofDocument, saveProofFile } from "../verify/document";
import { outcome } from "../verify/ladder";
import type { Asked } from "../verify/rungs";
import { Ladder } from "./Ladder";
import { useLadder } from "./useLadder";

type Props = {
  proof: ProofDocument | undefined;
  /** What the hub was asked; null for a file. */
  asked: Asked | null;
  source: ReactNode;
  note?: ReactNode;
  action?: ReactNode;
};

export function ProofView({ proof, asked, source, note, action }: Props) {
  const rungs = useLadder(proof, asked);
  const verdict = outcome(rungs);
  return (
    <>
      <header className={styles.verdict} data-state={verdict.state}>
        <div>
          <p className={styles.source}>{source}</p>
          <h1 data-testid="verdict">{verdict.sentence}</h1>
          {verdict.open ? <p className={styles.verdictOpen}>{verdict.open}</p> : null}
          {note}
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
        The file holds everything above. <code>peerwatt-edge verify --public-key KEY FILE</code> climbs it
        without this site and without a network, with the gateway's key from whom you trust, and names the two
        roots to compare with the accounts on the chain. How the clearing found its price is not part of a
        proof yet.
      </p>
    </>
  );
}
