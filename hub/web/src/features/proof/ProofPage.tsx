// The proof of one reading: the hub gives it, this browser verifies it.
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { time } from "../../lib/format";
import { useSite } from "../../lib/site";
import { useTitle } from "../../lib/useTitle";
import { EmptyState } from "../../ui/EmptyState";
import { Resource } from "../../ui/Resource";
import { Skeleton } from "../../ui/Skeleton";
import { ProofView } from "./parts/ProofView";
import { READING_ID, useProof } from "./queries";
import type { ProofDocument } from "./verify/document";

const skeleton = (
  <>
    <Skeleton height={96} />
    {[0, 1, 2, 3, 4].map((rung) => (
      <Skeleton key={rung} height={120} />
    ))}
  </>
);

function Source({ proof, readingId }: { proof: ProofDocument; readingId: string }) {
  const { data: site } = useSite();
  const reading = proof.reading;
  return (
    <>
      Proof of reading <code title={readingId}>{readingId.slice(0, 12)}…</code>
      {reading && site ? `, ${reading.meter_id} at ${time(reading.slot_at, site)}` : ""}
    </>
  );
}

export function ProofPage() {
  useTitle("Proof");
  const { readingId } = useParams({ from: "/proof/$readingId" });
  const { interval, revision } = useSearch({ from: "/proof/$readingId" });
  const proof = useProof(readingId, interval, revision);
  const request = useMemo(() => ({ readingId, interval, revision }), [readingId, interval, revision]);
  if (!READING_ID.test(readingId)) {
    return (
      <EmptyState title="This is no reading id">
        A reading id has 64 letters and digits (0–9, a–f). <Link to="/proof">Look for another one</Link>
      </EmptyState>
    );
  }
  return (
    <Resource name="the proof" queries={{ proof }} skeleton={skeleton} staleNotice="inside">
      {(data, staleNotice) => (
        <ProofView
          proof={data.proof}
          request={request}
          note={staleNotice}
          source={<Source proof={data.proof} readingId={readingId} />}
          action={<Link to="/proof">Another proof</Link>}
        />
      )}
    </Resource>
  );
}
