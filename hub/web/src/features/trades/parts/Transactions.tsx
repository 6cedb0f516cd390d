// The transactions on the chain that settle a trade, each with its state and a link to the explorer.
import { Link } from "@tanstack/react-router";
import { time } from "../../../lib/format";
import type { Site } from "../../../lib/site";
import { Card } from "../../../ui/Card";
import ui from "../../../ui/ui.module.css";
import type { TradeDetail } from "../queries";
import styles from "../styles.module.css";

export function Transactions({ trade, site }: { trade: TradeDetail; site: Site }) {
  return (
    <Card title="Transactions on the chain">
      {trade.transactions.length === 0 ? (
        <p className={ui.quiet}>None yet: they appear here as they are sent.</p>
      ) : (
        <ul className={`${styles.items} ${styles.transactions}`}>
          {trade.transactions.map((transaction) => (
            <li key={transaction.signature}>
              <b>{transaction.kind}</b>
              <span>
                {transaction.state}
                {transaction.slot === null ? "" : `, slot ${transaction.slot.toLocaleString("en-GB")}`}
                {transaction.finalized_at ? `, ${time(transaction.finalized_at, site)}` : ""}
                {transaction.error ? `: ${transaction.error}` : ""}
              </span>
              <Link
                to="/chain/tx/$signature"
                params={{ signature: transaction.signature }}
                className={ui.mono}
              >
                {transaction.signature}
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
