// Transactions as a list, newest first: all that name an address, or the newest of our programs.
import { Link } from "@tanstack/react-router";
import type { Site } from "../../../lib/site";
import { buttonClass } from "../../../ui/buttons";
import { StaleNotice } from "../../../ui/StaleNotice";
import { Bone, Failed } from "../../../ui/states";
import { levelWord, moment, short } from "../labels";
import { type Row, useTransactions } from "../queries";
import styles from "../styles.module.css";

function Line({ row, site }: { row: Row; site: Site }) {
  return (
    <li>
      <Link to="/chain/tx/$signature" params={{ signature: row.signature }} className={styles.row}>
        <span className={styles.outcome} data-failed={row.failed}>
          {row.failed ? "failed" : "done"}
        </span>
        <span className={styles.mono}>{short(row.signature)}</span>
        <span>slot {row.slot.toLocaleString("en-GB")}</span>
        <span className={styles.quiet}>{row.at ? moment(row.at, site) : "no time kept"}</span>
        <span className={styles.quiet}>{levelWord(row.level)}</span>
      </Link>
    </li>
  );
}

export function TransactionList({ address, site }: { address: string | null; site: Site }) {
  const asked = useTransactions(address);
  if (asked.isError && !asked.data) return <Failed error={asked.error} retry={asked.refetch} />;
  if (!asked.data) return <Bone height={240} />;
  const rows = asked.data.pages.flatMap((page) => page.items);
  if (rows.length === 0) return <p className={styles.quiet}>No transaction names it yet.</p>;
  return (
    <>
      <StaleNotice of={[asked]} />
      <ul className={styles.rows}>
        {rows.map((row) => (
          <Line key={row.signature} row={row} site={site} />
        ))}
      </ul>
      {asked.hasNextPage ? (
        <p className={styles.foot}>
          <button
            type="button"
            className={buttonClass}
            onClick={() => asked.fetchNextPage()}
            disabled={asked.isFetchingNextPage}
          >
            {asked.isFetchingNextPage ? "Loading" : "Earlier transactions"}
          </button>
        </p>
      ) : null}
    </>
  );
}
