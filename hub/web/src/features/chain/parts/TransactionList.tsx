// Transactions as a list, newest first: all that name an address, or the newest of our programs.
import { Link } from "@tanstack/react-router";
import type { Site } from "../../../lib/site";
import { LoadMore } from "../../../ui/LoadMore";
import { Resource } from "../../../ui/Resource";
import { Skeleton } from "../../../ui/Skeleton";
import ui from "../../../ui/ui.module.css";
import { abbreviate, dayAndTime, levelLabel } from "../labels";
import type { TransactionRow, useTransactions } from "../queries";
import styles from "../styles.module.css";
import { Outcome } from "./Outcome";

function Row({ transaction, site }: { transaction: TransactionRow; site: Site }) {
  return (
    <li>
      <Link to="/chain/tx/$signature" params={{ signature: transaction.signature }}>
        <Outcome failed={transaction.failed} />
        <span className={ui.mono}>{abbreviate(transaction.signature)}</span>
        <span>slot {transaction.slot.toLocaleString("en-GB")}</span>
        <span className={ui.quiet}>{transaction.at ? dayAndTime(transaction.at, site) : "no time kept"}</span>
        <span className={ui.quiet}>{levelLabel(transaction.level)}</span>
      </Link>
    </li>
  );
}

type Props = { query: ReturnType<typeof useTransactions>; site: Site };

export function TransactionList({ query, site }: Props) {
  return (
    <Resource name="transactions" queries={{ list: query }} skeleton={<Skeleton height={240} />}>
      {({ list }) => {
        const transactions = list.pages.flatMap((page) => page.items);
        if (transactions.length === 0) return <p className={ui.quiet}>No transaction names it yet.</p>;
        return (
          <>
            <ul className={`${ui.rows} ${styles.transactions}`}>
              {transactions.map((transaction) => (
                <Row key={transaction.signature} transaction={transaction} site={site} />
              ))}
            </ul>
            <LoadMore query={query} label="Earlier transactions" />
          </>
        );
      }}
    </Resource>
  );
}
