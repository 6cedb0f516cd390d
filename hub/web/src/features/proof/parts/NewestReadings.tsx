// The newest reading of each of one's meters, with a link to its proof.
import { Link } from "@tanstack/react-router";
import { energy, time } from "../../../lib/format";
import { useMeters } from "../../../lib/meters";
import { useSite } from "../../../lib/site";
import { Resource } from "../../../ui/Resource";
import { Skeleton } from "../../../ui/Skeleton";
import ui from "../../../ui/ui.module.css";
import styles from "../styles.module.css";

const READINGS_SHOWN = 20;

export function NewestReadings() {
  return (
    <Resource
      name="your newest readings"
      queries={{ meters: useMeters(), site: useSite() }}
      skeleton={<Skeleton height={144} />}
      failed={<p className={ui.quiet}>The hub does not tell your meters at the moment.</p>}
    >
      {({ meters, site }) => {
        const readings = meters.items.flatMap(({ last_reading }) => (last_reading ? [last_reading] : []));
        if (readings.length === 0) {
          return (
            <p className={ui.quiet}>
              None of your meters has sent a reading yet. Take a reading id from a bill, or open a proof file.
            </p>
          );
        }
        return (
          <ul className={`${ui.rows} ${styles.newest}`}>
            {readings.slice(0, READINGS_SHOWN).map((reading) => (
              <li key={reading.reading_id}>
                <Link to="/proof/$readingId" params={{ readingId: reading.reading_id }} search={{}}>
                  <b>{reading.meter_id}</b>
                  <span>{time(reading.slot_at, site)}</span>
                  <span>import {energy(reading.import_wh)}</span>
                  <span>export {energy(reading.export_wh)}</span>
                  <span aria-hidden="true">→</span>
                </Link>
              </li>
            ))}
          </ul>
        );
      }}
    </Resource>
  );
}
