// One account: whose it is, its fields as the program's IDL names them, and the transactions that name it.
import { Link, useParams } from "@tanstack/react-router";
import { useTitle } from "../../lib/useTitle";
import { Card } from "../../ui/Card";
import { EmptyState } from "../../ui/EmptyState";
import ui from "../../ui/ui.module.css";
import { solText } from "./labels";
import { ChainRecord } from "./parts/ChainRecord";
import { AddressLink, FieldList } from "./parts/FieldList";
import { TransactionList } from "./parts/TransactionList";
import { type Account, ADDRESS, useAccount, useTransactions } from "./queries";

function titleOf(account: Account): string {
  if (account.kind) return account.kind;
  if (account.executable) return "A program";
  return account.data_bytes === 0 ? "A wallet" : "An account";
}

function AccountFacts({ account }: { account: Account }) {
  return (
    <Card title="Account">
      <dl className={ui.facts}>
        <dt>Address</dt>
        <dd className={ui.mono}>{account.address}</dd>
        <dt>Owner</dt>
        <dd>
          {account.owner_name ? `${account.owner_name} ` : ""}
          <AddressLink address={account.owner} />
        </dd>
        <dt>Holds</dt>
        <dd>{solText(account.lamports)}</dd>
        <dt>Data</dt>
        <dd>
          {account.data_bytes.toLocaleString("en-GB")} bytes{account.executable ? ", executable" : ""}
        </dd>
      </dl>
      {account.data_hex ? (
        <details className={ui.details}>
          <summary>First bytes</summary>
          <p className={ui.mono}>{account.data_hex}</p>
        </details>
      ) : null}
    </Card>
  );
}

function AccountRecord({ address }: { address: string }) {
  const account = useAccount(address);
  const transactions = useTransactions(address);
  return (
    <ChainRecord kind="account" query={account} title={titleOf}>
      {(record, site) => (
        <>
          {record.fields ? (
            <Card
              title="What it says"
              aside={<span className={ui.quiet}>decoded by {record.owner_name}</span>}
            >
              <FieldList fields={record.fields} site={site} />
            </Card>
          ) : null}
          <AccountFacts account={record} />
          <Card title="Transactions">
            <TransactionList query={transactions} site={site} />
          </Card>
        </>
      )}
    </ChainRecord>
  );
}

export function AccountPage() {
  useTitle("Account");
  const { address } = useParams({ from: "/chain/$address" });
  if (ADDRESS.test(address)) return <AccountRecord address={address} />;
  return (
    <EmptyState title="This is no address">
      An address has 32 to 44 letters and digits. <Link to="/chain">Look for another one</Link>
    </EmptyState>
  );
}
