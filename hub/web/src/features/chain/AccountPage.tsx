// One account: whose it is, its fields as the program's IDL names them, and the transactions that name it.
import { Link, useParams } from "@tanstack/react-router";
import { useTitle } from "../../lib/useTitle";
import { Card } from "../../ui/Card";
import { Empty } from "../../ui/states";
import { sol } from "./labels";
import { RecordPage } from "./parts/RecordPage";
import { TransactionList } from "./parts/TransactionList";
import { AddressLink, FieldList } from "./parts/Values";
import { type Account, ADDRESS, useAccount } from "./queries";
import styles from "./styles.module.css";

function title(account: Account): string {
  if (account.kind) return account.kind;
  if (account.executable) return "A program";
  return account.data_bytes === 0 ? "A wallet" : "An account";
}

function Facts({ account }: { account: Account }) {
  return (
    <Card title="Account">
      <dl className={styles.facts}>
        <dt>Address</dt>
        <dd className={styles.mono}>{account.address}</dd>
        <dt>Owner</dt>
        <dd>
          {account.owner_name ? `${account.owner_name} ` : ""}
          <AddressLink address={account.owner} />
        </dd>
        <dt>Holds</dt>
        <dd>{sol(account.lamports)}</dd>
        <dt>Data</dt>
        <dd>
          {account.data_bytes.toLocaleString("en-GB")} bytes{account.executable ? ", executable" : ""}
        </dd>
      </dl>
      {account.data_hex ? (
        <details className={styles.more}>
          <summary>First bytes</summary>
          <p className={styles.mono}>{account.data_hex}</p>
        </details>
      ) : null}
    </Card>
  );
}

function Loaded({ address }: { address: string }) {
  return (
    <RecordPage what="account" asked={useAccount(address)} title={title}>
      {(account, site) => (
        <>
          {account.fields ? (
            <Card
              title="What it says"
              aside={<span className={styles.quiet}>decoded by {account.owner_name}</span>}
            >
              <FieldList fields={account.fields} site={site} />
            </Card>
          ) : null}
          <Facts account={account} />
          <Card title="Transactions">
            <TransactionList address={account.address} site={site} />
          </Card>
        </>
      )}
    </RecordPage>
  );
}

export function AccountPage() {
  useTitle("Account");
  const { address } = useParams({ from: "/chain/$address" });
  if (ADDRESS.test(address)) return <Loaded address={address} />;
  return (
    <Empty title="This is no address">
      An address has 32 to 44 letters and digits. <Link to="/chain">Look for another one</Link>
    </Empty>
  );
}
