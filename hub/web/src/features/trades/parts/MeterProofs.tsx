// The meters behind a trade, each with the proofs of its readings at both ends of the interval.
import { energy } from "../../../lib/format";
import { Card } from "../../../ui/Card";
import { ProofLink } from "../../../ui/ProofLink";
import type { TradeDetail } from "../queries";
import styles from "../styles.module.css";

/** Trades are made of an interval's first revision, and stand when it is corrected. */
const TRADED_REVISION = 1;

export function MeterProofs({ trade }: { trade: TradeDetail }) {
  return (
    <Card title="The meters behind it">
      <ul className={styles.items}>
        {trade.meters.map((meter) => (
          <li key={meter.meter_id}>
            <b>{meter.meter_id}</b>
            <span>
              {energy(meter.import_wh)} in, {energy(meter.export_wh)} out, {meter.quality}
            </span>
            <span className={styles.proofs}>
              {(["start", "end"] as const).map((boundary) => (
                <ProofLink
                  key={boundary}
                  readingId={meter[`${boundary}_reading_id`]}
                  interval={trade.start_at}
                  revision={TRADED_REVISION}
                  of={`${meter.meter_id} at the ${boundary}`}
                >
                  {`Proof of the ${boundary}`}
                </ProofLink>
              ))}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
