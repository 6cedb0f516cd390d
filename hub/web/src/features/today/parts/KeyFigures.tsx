// The three figures of the day: power now, saved against the utility with its formula, time to the next clearing.
import { countdown, energy, interval, parted, power, signedMoney, time } from "../../../lib/format";
import type { Site } from "../../../lib/site";
import { useNow } from "../../../lib/useNow";
import { Card } from "../../../ui/Card";
import { ProofLink } from "../../../ui/ProofLink";
import { StaleNote } from "../../../ui/states";
import { useMeters } from "../../proof/queries";
import type { Today } from "../queries";
import styles from "../styles.module.css";

type Props = { today: Today; site: Site };

function Figure({ written, id }: { written: string; id: string }) {
  const { figure, unit } = parted(written);
  return (
    <p className={styles.figure} data-testid={id}>
      {figure}
      {unit ? <span className={styles.unit}> {unit}</span> : null}
    </p>
  );
}

const DIRECTIONS: Record<Today["direction"], string> = {
  giving: "more made than used",
  taking: "more used than made",
  balanced: "made and used in balance",
  unknown: "no reading yet",
};

export function PowerNow({ today, site }: Props) {
  const { data: meters, isError } = useMeters();
  return (
    <Card title="Power now">
      <Figure id="power-now" written={today.power_w === null ? "–" : power(today.power_w)} />
      <p className={styles.under}>{DIRECTIONS[today.direction]}</p>
      {today.stale && today.power_at ? <StaleNote>Stale since {time(today.power_at, site)}</StaleNote> : null}
      {isError && !meters ? <StaleNote>The hub does not tell your meters at the moment.</StaleNote> : null}
      <ul className={styles.meters}>
        {meters?.items.slice(0, 4).map(({ meter_id, last_reading }) => (
          <li key={meter_id}>
            <span>{meter_id}</span>
            <span className={styles.quiet}>
              {last_reading ? `read ${time(last_reading.slot_at, site)}` : "no reading yet"}
            </span>
            <ProofLink readingId={last_reading?.reading_id} of={`${meter_id}'s newest reading`} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

function soFar({ intervals }: Today): string {
  if (intervals.length === 0) return ": no interval of today has closed yet";
  const provisional = intervals.some((one) => one.state !== "reconciled");
  return provisional ? ", provisional until the last interval is final" : ", final so far";
}

type SavedProps = Props & { open: boolean; toggle: () => void };

export function Saved({ today, site, open, toggle }: SavedProps) {
  return (
    <Card title="Saved today">
      <Figure id="saved" written={signedMoney(today.saved_micros, site.currency)} />
      <p className={styles.under}>against the utility{soFar(today)}</p>
      <button type="button" className={styles.opens} aria-expanded={open} onClick={toggle}>
        <span aria-hidden="true">{open ? "▾" : "▸"}</span> How this comes about
      </button>
    </Card>
  );
}

export function NextClearing({ today, site }: Props) {
  const now = useNow();
  const waiting = now.getTime() >= Date.parse(today.next_clearing_at);
  return (
    <Card title="Next clearing">
      <p className={styles.figure}>
        {countdown(waiting ? today.next_clearing_latest_at : today.next_clearing_at, now)}
      </p>
      <p className={styles.under}>
        {waiting
          ? "at the latest: the interval has ended, its last readings are coming in"
          : `when ${interval(today.running.start_at, today.running.end_at, site)} ends`}
      </p>
      <p className={styles.under}>
        So far in it: {energy(today.running.import_wh)} in, {energy(today.running.export_wh)} out
        {today.running.until ? `, until ${time(today.running.until, site)}` : ""}. Provisional.
      </p>
    </Card>
  );
}
