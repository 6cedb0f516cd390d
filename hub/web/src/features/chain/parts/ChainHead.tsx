// Where the chain stands: its slots, how many transactions it holds, its time, its genesis.
import type { Site } from "../../../lib/site";
import { Card } from "../../../ui/Card";
import ui from "../../../ui/ui.module.css";
import { dayAndTime } from "../labels";
import type { Head } from "../queries";
import styles from "../styles.module.css";

export function ChainHead({ head, site }: { head: Head; site: Site }) {
  const figures: [string, string][] = [
    ["Finalized slot", head.finalized_slot.toLocaleString("en-GB")],
    ["Newest slot", head.slot.toLocaleString("en-GB")],
    ["Transactions", head.transactions.toLocaleString("en-GB")],
    ["The chain's time", head.finalized_at ? dayAndTime(head.finalized_at, site) : "not told"],
  ];
  return (
    <Card title="Where it stands" aside={<span className={ui.quiet}>{head.cluster} chain</span>}>
      <dl className={styles.figures} data-testid="head">
        {figures.map(([name, figure]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{figure}</dd>
          </div>
        ))}
      </dl>
      <p className={styles.genesis}>
        Genesis <span className={ui.mono}>{head.genesis_hash}</span>
      </p>
    </Card>
  );
}
