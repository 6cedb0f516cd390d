// One transaction: what it did, instruction by instruction, what it took, and what the programs logged.
import { Link, useParams } from "@tanstack/react-router";
import type { Site } from "../../lib/site";
import { useTitle } from "../../lib/useTitle";
import { Card } from "../../ui/Card";
import { EmptyState } from "../../ui/EmptyState";
import ui from "../../ui/ui.module.css";
import { dayAndTime, LEVEL_DESCRIPTIONS, solText } from "./labels";
import { ChainRecord } from "./parts/ChainRecord";
import { AddressLink } from "./parts/FieldList";
import { Instructions } from "./parts/Instructions";
import { Outcome } from "./parts/Outcome";
import { SIGNATURE, type Transaction, useTransaction } from "./queries";
import styles from "./styles.module.css";

function TransactionFacts({ transaction, site }: { transaction: Transaction; site: Site }) {
  return (
    <Card title="Transaction">
      <dl className={ui.facts}>
        <dt>Outcome</dt>
        <dd>
          <Outcome failed={transaction.error !== null} /> {transaction.error}
        </dd>
        <dt>Stands</dt>
        <dd>{LEVEL_DESCRIPTIONS[transaction.level ?? "finalized"]}</dd>
        <dt>Slot</dt>
        <dd>
          {transaction.slot.toLocaleString("en-GB")}
          {transaction.at ? `, ${dayAndTime(transaction.at, site)}` : ""}
        </dd>
        <dt>Compute units</dt>
        <dd data-testid="units">{transaction.compute_units?.toLocaleString("en-GB") ?? "not told"}</dd>
        <dt>Fee</dt>
        <dd>
          {solText(transaction.fee_lamports)}, paid by <AddressLink address={transaction.fee_payer} />
        </dd>
        <dt>Signature</dt>
        <dd className={ui.mono}>{transaction.signature}</dd>
      </dl>
    </Card>
  );
}

function titleOf({ instructions }: Transaction): string {
  const names = instructions.flatMap(({ name }) => (name ? [name] : []));
  return names.length > 0 ? names.join(", ") : "A transaction";
}

function TransactionRecord({ signature }: { signature: string }) {
  return (
    <ChainRecord kind="transaction" query={useTransaction(signature)} title={titleOf}>
      {(transaction, site) => (
        <>
          <TransactionFacts transaction={transaction} site={site} />
          <Card title="Instructions">
            <Instructions instructions={transaction.instructions} site={site} />
          </Card>
          <Card title="Log">
            {transaction.logs.length > 0 ? (
              <pre className={`${ui.mono} ${styles.log}`}>{transaction.logs.join("\n")}</pre>
            ) : (
              <p className={ui.quiet}>The node kept no log.</p>
            )}
          </Card>
        </>
      )}
    </ChainRecord>
  );
}

export function TransactionPage() {
  useTitle("Transaction");
  const { signature } = useParams({ from: "/chain/tx/$signature" });
  if (SIGNATURE.test(signature)) return <TransactionRecord signature={signature} />;
  return (
    <EmptyState title="This is no signature">
      A signature has 64 to 88 letters and digits. <Link to="/chain">Look for another one</Link>
    </EmptyState>
  );
}
