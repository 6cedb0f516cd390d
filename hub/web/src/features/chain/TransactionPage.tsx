// One transaction: what it did, instruction by instruction, what it took, and what the programs logged.
import { Link, useParams } from "@tanstack/react-router";
import type { Site } from "../../lib/site";
import { useTitle } from "../../lib/useTitle";
import { Card } from "../../ui/Card";
import { Empty } from "../../ui/states";
import { moment, sol } from "./labels";
import { RecordPage } from "./parts/RecordPage";
import { AddressLink, FieldList } from "./parts/Values";
import { type Instruction, SIGNATURE, type Transaction, useTransaction } from "./queries";
import styles from "./styles.module.css";

const LEVELS: Record<string, string> = {
  processed: "in a block, not yet confirmed",
  confirmed: "in a block that counts, not yet final",
  finalized: "final: it can not be undone",
};

function Facts({ one, site }: { one: Transaction; site: Site }) {
  return (
    <Card title="Transaction">
      <dl className={styles.facts}>
        <dt>Outcome</dt>
        <dd>
          <span className={styles.outcome} data-failed={one.error !== null}>
            {one.error === null ? "done" : "failed"}
          </span>{" "}
          {one.error}
        </dd>
        <dt>Stands</dt>
        <dd>{LEVELS[one.level ?? "finalized"]}</dd>
        <dt>Slot</dt>
        <dd>
          {one.slot.toLocaleString("en-GB")}
          {one.at ? `, ${moment(one.at, site)}` : ""}
        </dd>
        <dt>Compute units</dt>
        <dd data-testid="units">{one.compute_units?.toLocaleString("en-GB") ?? "not told"}</dd>
        <dt>Fee</dt>
        <dd>
          {sol(one.fee_lamports)}, paid by <AddressLink address={one.fee_payer} />
        </dd>
        <dt>Signature</dt>
        <dd className={styles.mono}>{one.signature}</dd>
      </dl>
    </Card>
  );
}

function Accounts({ of }: { of: Instruction }) {
  if (of.accounts.length === 0) return null;
  return (
    <details className={styles.more}>
      <summary>
        {of.accounts.length} {of.accounts.length === 1 ? "account" : "accounts"}
      </summary>
      <dl className={styles.fields}>
        {of.accounts.map((account, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: an instruction's accounts are known by their place
          <div key={at}>
            <dt>
              {account.name ?? `account ${at + 1}`}
              <span className={styles.means}>
                {[account.signer ? "signs" : "", account.writable ? "may change" : ""]
                  .filter(Boolean)
                  .join(", ")}
              </span>
            </dt>
            <dd>
              <AddressLink address={account.address} />
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function Step({ one, site }: { one: Instruction; site: Site }) {
  return (
    <li className={styles.program}>
      <div className={styles.programHead}>
        <h3>{one.name ?? one.program_name ?? "An unknown program"}</h3>
        <span className={styles.quiet}>{one.name ? one.program_name : "not decoded"}</span>
      </div>
      {one.args ? (
        Object.keys(one.args).length > 0 ? (
          <FieldList fields={one.args} site={site} />
        ) : (
          <p className={styles.quiet}>It takes no arguments.</p>
        )
      ) : (
        <p className={styles.mono}>{one.data_hex}</p>
      )}
      <Accounts of={one} />
    </li>
  );
}

function title({ instructions }: Transaction): string {
  const names = instructions.flatMap(({ name }) => (name ? [name] : []));
  return names.length > 0 ? names.join(", ") : "A transaction";
}

function Loaded({ signature }: { signature: string }) {
  return (
    <RecordPage what="transaction" asked={useTransaction(signature)} title={title}>
      {(one, site) => (
        <>
          <Facts one={one} site={site} />
          <Card title="Instructions">
            <ol className={styles.programs}>
              {one.instructions.map((step, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the order of instructions is what they are
                <Step key={at} one={step} site={site} />
              ))}
            </ol>
          </Card>
          <Card title="Log">
            {one.logs.length > 0 ? (
              <pre className={styles.log}>{one.logs.join("\n")}</pre>
            ) : (
              <p className={styles.quiet}>The node kept no log.</p>
            )}
          </Card>
        </>
      )}
    </RecordPage>
  );
}

export function TransactionPage() {
  useTitle("Transaction");
  const { signature } = useParams({ from: "/chain/tx/$signature" });
  if (SIGNATURE.test(signature)) return <Loaded signature={signature} />;
  return (
    <Empty title="This is no signature">
      A signature has 64 to 88 letters and digits. <Link to="/chain">Look for another one</Link>
    </Empty>
  );
}
