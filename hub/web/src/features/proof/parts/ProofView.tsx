// A proof with its verdict in one sentence, the ladder, and the file to take away.
import type { ReactNode } from "react";
import ui from "../../../ui/ui.module.css";
import styles from "../styles.module.css";
import { type ProofDocument, saveProofFile } from "../verify/document";
import { verdictOf } from "../verify/ladder";
import type { ProofRequest } from "../verify/rungs";
import { Ladder } from "./Ladder";
import { Revisions } from "./Revisions";
import { useLadder } from "./useLadder";

type Props = {
  proof: ProofDocument;
  /** What the hub was asked for; null for a file. */
  request: ProofRequest | null;
  source: ReactNode;
  note: ReactNode;
  action: ReactNode;
};

export function ProofView({ proof, request, source, note, action }: Props) {
  const rungs = useLadder(proof, request);
  const verdict = verdictOf(rungs);
  return (
    <>
      <header className={styles.verdict} data-state={verdict.state}>
        <div>
          <p className={ui.quiet}>{source}</p>
          <h1 className={styles.title} data-testid="verdict">
            {verdict.sentence}
          </h1>
          {verdict.open ? <p className={styles.verdictOpen}>{verdict.open}</p> : null}
          {note}
        </div>
        <div className={styles.actions}>
          <button type="button" className={ui.button} onClick={() => saveProofFile(proof)}>
            Download the proof
          </button>
          {action}
        </div>
      </header>
      <Ladder rungs={rungs} />
      <Revisions proof={proof} linked={request !== null} />
      <p className={ui.quiet}>
        The file holds everything above. <code>peerwatt-edge verify --public-key KEY FILE</code> climbs it
        without this site and without a network, with the gateway's key from whom you trust, and names the two
        roots to compare with the accounts on the chain. How the clearing found its price is not part of a
        proof yet.
      </p>
    </>
  );
}
