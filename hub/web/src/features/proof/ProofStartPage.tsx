// Where a proof begins: the newest readings, a reading id, or a file from disk that is verified without the hub.
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTitle } from "../../lib/useTitle";
import { Card } from "../../ui/Card";
import ui from "../../ui/ui.module.css";
import { NewestReadings } from "./parts/NewestReadings";
import { ProofFileField } from "./parts/ProofFileField";
import { ProofView } from "./parts/ProofView";
import { ReadingLookup } from "./parts/ReadingLookup";
import styles from "./styles.module.css";
import type { ProofDocument } from "./verify/document";
import { readingId } from "./verify/hashes";

/** A reading's id is made of its bytes: what the hub says of the same id is about the same bytes. */
function HubProofLink({ proof }: { proof: ProofDocument }) {
  return (
    <p className={ui.quiet}>
      If the reading is yours,{" "}
      <Link to="/proof/$readingId" params={{ readingId: readingId(proof) }} search={{}}>
        ask the hub for it
      </Link>
      : its answer is checked against the key in the hub's register.
    </p>
  );
}

export function ProofStartPage() {
  useTitle("Proof");
  const [file, setFile] = useState<{ proof: ProofDocument; name: string } | null>(null);
  if (file) {
    return (
      <ProofView
        proof={file.proof}
        request={null}
        note={<HubProofLink proof={file.proof} />}
        source={`Proof file ${file.name}, gateway ${file.proof.gateway_id}`}
        action={
          <button type="button" className={ui.button} onClick={() => setFile(null)}>
            Another proof
          </button>
        }
      />
    );
  }
  return (
    <>
      <h1 className={styles.title}>Check any number yourself</h1>
      <p className={styles.lead}>
        Every reading is signed by its gateway. Your browser checks that signature, follows the reading to its
        interval and settlement line, and tells you what holds and what you would have to compare with{" "}
        <Link to="/chain">the chain</Link>.
      </p>
      <div className={styles.start}>
        <Card title="Your newest readings" className={styles.wide}>
          <NewestReadings />
        </Card>
        <Card title="A reading you know">
          <ReadingLookup />
        </Card>
        <Card title="A file you were given">
          <ProofFileField onOpen={(proof, name) => setFile({ proof, name })} />
        </Card>
      </div>
    </>
  );
}
