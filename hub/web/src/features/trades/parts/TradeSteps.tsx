// The steps of a trade from the market to the chain, each with its time.
import { time } from "../../../lib/format";
import type { Site } from "../../../lib/site";
import { Card } from "../../../ui/Card";
import ui from "../../../ui/ui.module.css";
import { STATE_DESCRIPTIONS } from "../labels";
import type { TradeDetail } from "../queries";
import styles from "../styles.module.css";

export function TradeSteps({ trade, site }: { trade: TradeDetail; site: Site }) {
  return (
    <Card title="Where it stands">
      <ol className={styles.steps}>
        {trade.steps.map(({ name, at }) => (
          <li key={name} data-done={at !== null} aria-current={trade.state === name ? "step" : undefined}>
            <span className={styles.stepDot} aria-hidden="true" />
            <b>{name}</b>
            <span>{at ? time(at, site) : "still ahead"}</span>
            <span className={ui.quiet}>{STATE_DESCRIPTIONS[name]}</span>
          </li>
        ))}
      </ol>
    </Card>
  );
}
