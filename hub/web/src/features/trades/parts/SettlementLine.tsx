// The settlement line that sums all of a participant's trades of the interval.
import { energy, exactMoney } from "../../../lib/format";
import type { Site } from "../../../lib/site";
import { Card } from "../../../ui/Card";
import ui from "../../../ui/ui.module.css";
import type { TradeDetail } from "../queries";
import styles from "../styles.module.css";

export function SettlementLine({ trade, site }: { trade: TradeDetail; site: Site }) {
  const line = trade.line;
  return (
    <Card title="Settlement line" aside={line ? `${line.line_index + 1} of ${line.line_count}` : undefined}>
      {line ? (
        <dl className={`${ui.facts} ${styles.line}`}>
          <dt>All your trades of the interval</dt>
          <dd>
            sold {energy(line.sold_wh)}, bought {energy(line.bought_wh)}
          </dd>
          <dt>Credit and debit</dt>
          <dd>
            {exactMoney(line.credit_micros, site.currency)} and {exactMoney(line.debit_micros, site.currency)}
          </dd>
          <dt>Wallet</dt>
          <dd className={ui.mono}>{line.wallet}</dd>
          <dt>Root of all lines</dt>
          <dd className={ui.mono}>{line.lines_root}</dd>
        </dl>
      ) : (
        <p className={ui.quiet}>The settlement is planned a moment after the market has cleared.</p>
      )}
    </Card>
  );
}
