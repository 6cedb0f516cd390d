// What the oracle attested of the interval, revision by revision: energy, why, whether the chain holds it, what it is used for.
import { Link } from "@tanstack/react-router";
import { energy } from "../../../lib/format";
import { Card } from "../../../ui/Card";
import ui from "../../../ui/ui.module.css";
import styles from "../styles.module.css";
import type { ProofDocument } from "../verify/document";

type Revision = NonNullable<ProofDocument["revisions"]>[number];

/** Where a revision stands on the chain, in words. */
export function chainWords({ chain_state, refusal }: Revision): string {
  switch (chain_state) {
    case "final":
      return "attested on the chain";
    case "waiting":
      return "not on the chain yet";
    case "refused":
      return `not on the chain: ${refusal ?? "refused"}`;
  }
}

/** What is computed from a revision, in words; "replaced" when nothing is any more. */
export function usedFor({ traded, billed }: Revision): string {
  if (traded && billed) return "The trades and the bill are computed from it.";
  if (traded) return "The trades are computed from it: they stand.";
  return billed ? "The bill is computed from it." : "It was replaced.";
}

type ItemProps = { revision: Revision; proof: ProofDocument; linked: boolean };

function Item({ revision, proof, linked }: ItemProps) {
  const shown = revision.revision === proof.interval?.revision;
  const name = `Revision ${revision.revision}`;
  return (
    <li className={styles.revision} data-shown={shown} aria-current={shown ? "true" : undefined}>
      <p>
        <b>{name}</b>: {energy(revision.import_wh)} taken, {energy(revision.export_wh)} given,{" "}
        {revision.quality}. {usedFor(revision)}
      </p>
      <p className={ui.quiet}>
        {chainWords(revision)}
        {revision.chain_state === "final" ? (
          <>
            {" "}
            (
            <Link to="/chain/$address" params={{ address: revision.interval_account }}>
              its account
            </Link>
            )
          </>
        ) : null}
        {shown ? "; proven above" : null}
        {!shown && linked && proof.reading_id && proof.interval ? (
          <>
            {"; "}
            <Link
              to="/proof/$readingId"
              params={{ readingId: proof.reading_id }}
              search={{ interval: proof.interval.start_at, revision: revision.revision }}
            >
              prove {name.toLowerCase()}
            </Link>
          </>
        ) : null}
      </p>
      {revision.rules.map(({ rule, says }) => (
        <p key={rule} className={ui.quiet}>
          {says || rule}
        </p>
      ))}
    </li>
  );
}

export function Revisions({ proof, linked }: { proof: ProofDocument; linked: boolean }) {
  const revisions = proof.revisions ?? [];
  if (revisions.length === 0) return null;
  return (
    <Card title="What was attested of this interval" className={styles.revisions}>
      <ol aria-label="Revisions, oldest first">
        {revisions.map((revision) => (
          <Item key={revision.revision} revision={revision} proof={proof} linked={linked} />
        ))}
      </ol>
      <p className={ui.quiet}>
        {revisions.length === 1
          ? "Readings that come late make a new revision, up to 40 days after the interval."
          : "This list is as told: each revision is verified on its own ladder."}
      </p>
    </Card>
  );
}
