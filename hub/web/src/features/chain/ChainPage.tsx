// Chain: what does it say? Where it stands, the five programs compared with the published ones, the newest transactions.
import { Link } from "@tanstack/react-router";
import { useTitle } from "../../lib/useTitle";
import { Card } from "../../ui/Card";
import { PageHeader } from "../../ui/PageHeader";
import { ResourcePage } from "../../ui/Resource";
import { Skeleton } from "../../ui/Skeleton";
import ui from "../../ui/ui.module.css";
import { ChainHead } from "./parts/ChainHead";
import { ChainLookup } from "./parts/ChainLookup";
import { Programs } from "./parts/Programs";
import { TransactionList } from "./parts/TransactionList";
import { useHead, usePrograms, useTransactions } from "./queries";

const skeleton = (
  <>
    <Skeleton height={160} />
    <Skeleton height={160} />
    <Skeleton height={420} />
  </>
);

export function ChainPage() {
  useTitle("Chain");
  const head = useHead();
  // Asked for here, so that no request waits for the answer to another one
  const programs = usePrograms();
  const transactions = useTransactions(null);
  return (
    <>
      <PageHeader title="What does the chain say?">
        <p>
          Programs, accounts and transactions as the hub's node tells them. Any other node of the same chain
          tells the same: <Link to="/proof">a proof</Link> names the accounts to compare.
        </p>
      </PageHeader>
      <ResourcePage name="the chain" queries={{ head }} skeleton={skeleton} staleNotice="inside">
        {(data, site, staleNotice) => (
          <div className={ui.stack}>
            {staleNotice}
            <ChainHead head={data.head} site={site} />
            <Card title="What are you looking for?">
              <ChainLookup />
            </Card>
            <Programs query={programs} />
            <Card title="Newest transactions">
              <TransactionList query={transactions} site={site} />
            </Card>
          </div>
        )}
      </ResourcePage>
    </>
  );
}
