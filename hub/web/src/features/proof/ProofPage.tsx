// The proof of one reading: asked from the hub, verified here.

import { Link, useParams, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { time } from "../../lib/format";
import { useSite } from "../../lib/site";
import { useTitle } from "../../lib/useTitle";
import { StaleNotice } from "../../ui/StaleNotice";
import { Bone, Empty, Failed } from "../../ui/states";
import { ProofView } from "./parts/ProofView";
import { READING_ID, useProof } from "./queries";
import styles from "./styles.module.css";
import type { ProofDocument } from "./verify/document";

function Source({ proof, id }: { proof: ProofDocument; id: string }) {
  const { data: site } = useSite();
  const reading = proof.reading;
  return (
    <>
      Proof of reading <code title={id}>{id.slice(0, 12)}…</code>
      {reading && site ? `, ${reading.meter_id} at ${time(reading.slot_at, site)}` : ""}
    </>
  );
}

export function ProofPage() {
  useTitle("Proof");
  const { readingId } = useParams({ from: "/proof/$readingId" });
  const { interval } = useSearch({ from: "/proof/$readingId" });
  const proof = useProof(readingId, interval);
  const asked = useMemo(() => ({ readingId, interval }), [readingId, interval]);
  if (!READING_ID.test(readingId)) {
    return (
      <Empty title="This is no reading id">
        A reading id has 64 letters and digits (0–9, a–f). <Link to="/proof">Look for another one</Link>
      </Empty>
    );
  }
  if (proof.isError && !proof.data) return <Failed error={proof.error} retry={proof.refetch} />;
  if (!proof.data) {
    return (
      <div className={styles.loading} aria-busy="true">
        <span className="pw-visually-hidden">Loading the proof</span>
        <Bone height={96} />
        {[0, 1, 2, 3, 4].map((rung) => (
          <Bone key={rung} height={120} />
        ))}
      </div>
    );
  }
  return (
    <ProofView
      proof={proof.data}
      asked={asked}
      note={<StaleNotice of={[proof]} />}
      source={<Source proof={proof.data} id={readingId} />}
      action={
        <Link to="/proof" className={styles.another}>
          Another proof
        </Link>
      }
    />
  );
}
