// The three figures of the day: power now, saved against the utility, time to the next clearing.
import { countdown, energy, interval, power, signedMoney, splitUnit, time } from "../../../lib/format";
import { useMeters } from "../../../lib/meters";
import type { Site } from "../../../lib/site";
import { useNow } from "../../../lib/useNow";
import { Card } from "../../../ui/Card";
import { ProofLink } from "../../../ui/ProofLink";
import { Resource } from "../../../ui/Resource";
import ui from "../../../ui/ui.module.css";
import { Warning } from "../../../ui/Warning";
import { DIRECTION_LABELS } from "../labels";
import type { Today } from "../queries";
import styles from "../styles.module.css";

const METERS_SHOWN = 4;

type Props = { today: Today; site: Site };

function Figure({ text, id }: { text: string; id: string }) {
  const { figure, unit } = splitUnit(text);
  return (
    <p className={styles.figure} data-testid={id}>
      {figure}
      {unit ? <span className={styles.unit}> {unit}</span> : null}
    </p>
  );
}

function Meters({ site }: { site: Site }) {
  const meters = useMeters();
  return (
    <Resource
      name="your meters"
      queries={{ meters }}
      skeleton={null}
      failed={<Warning>The hub does not tell your meters at the moment.</Warning>}
      staleNotice="inside"
    >
      {(data) => (
        <ul className={styles.meters}>
          {data.meters.items.slice(0, METERS_SHOWN).map(({ meter_id, last_reading }) => (
            <li key={meter_id}>
              <span>{meter_id}</span>
              <span className={ui.quiet}>
                {last_reading ? `read ${time(last_reading.slot_at, site)}` : "no reading yet"}
              </span>
              <ProofLink readingId={last_reading?.reading_id} of={`${meter_id}'s newest reading`} />
            </li>
          ))}
        </ul>
      )}
    </Resource>
  );
}

export function PowerNow({ today, site }: Props) {
  return (
    <Card title="Power now">
      <Figure id="power-now" text={today.power_w === null ? "–" : power(today.power_w)} />
      <p className={styles.note}>{DIRECTION_LABELS[today.direction]}</p>
      {today.stale && today.power_at ? <Warning>Stale since {time(today.power_at, site)}</Warning> : null}
      <Meters site={site} />
    </Card>
  );
}

function savedSoFar({ intervals }: Today): string {
  if (intervals.length === 0) return ": no interval of today has closed yet";
  const provisional = intervals.some(({ state }) => state !== "reconciled");
  return provisional ? ", provisional until the last interval is settled" : ", settled so far";
}

type SavedProps = Props & { open: boolean; toggle: () => void };

export function Saved({ today, site, open, toggle }: SavedProps) {
  return (
    <Card title="Saved today">
      <Figure id="saved" text={signedMoney(today.saved_micros, site.currency)} />
      <p className={styles.note}>against the utility{savedSoFar(today)}</p>
      <button type="button" className={styles.opener} aria-expanded={open} onClick={toggle}>
        <span aria-hidden="true">{open ? "▾" : "▸"}</span> How this comes about
      </button>
    </Card>
  );
}

export function NextClearing({ today, site }: Props) {
  const now = useNow();
  const overdue = now.getTime() >= Date.parse(today.next_clearing_at);
  return (
    <Card title="Next clearing">
      <p className={styles.figure}>
        {countdown(overdue ? today.next_clearing_latest_at : today.next_clearing_at, now)}
      </p>
      <p className={styles.note}>
        {overdue
          ? "at the latest: the interval has ended, its last readings are coming in"
          : `when ${interval(today.running.start_at, today.running.end_at, site)} ends`}
      </p>
      <p className={styles.note}>
        So far in it: {energy(today.running.import_wh)} in, {energy(today.running.export_wh)} out
        {today.running.until ? `, until ${time(today.running.until, site)}` : ""}. Provisional.
      </p>
    </Card>
  );
}
