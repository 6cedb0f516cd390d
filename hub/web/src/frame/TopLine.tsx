// The top line: site, the running interval with a thin bar that fills until it closes, and the state of the connection.
import { countdown, interval, time } from "../lib/format";
import { type Site, useSite } from "../lib/site";
import { useNow } from "../lib/useNow";
import { type Connection, useLive } from "../live/LiveProvider";
import styles from "./TopLine.module.css";

/** The interval that runs at this moment, and the share of it that has passed. */
function runningInterval(now: Date, lengthS: number): { start: Date; end: Date; elapsed: number } {
  const lengthMs = lengthS * 1000;
  const startMs = Math.floor(now.getTime() / lengthMs) * lengthMs;
  return {
    start: new Date(startMs),
    end: new Date(startMs + lengthMs),
    elapsed: (now.getTime() - startMs) / lengthMs,
  };
}

function RunningInterval({ site }: { site: Site }) {
  const now = useNow();
  const { start, end, elapsed } = runningInterval(now, site.interval_s);
  return (
    <div className={styles.interval}>
      <span>
        {interval(start, end, site)}
        <span className={styles.remaining}> closes in {countdown(end, now)}</span>
      </span>
      <span className={styles.bar} aria-hidden="true">
        <span style={{ width: `${Math.round(elapsed * 100)}%` }} />
      </span>
    </div>
  );
}

const STATE_LABELS: Record<Connection["state"], string> = {
  connecting: "connecting",
  live: "live",
  reconnecting: "reconnecting since",
  offline: "offline since",
};

function ConnectionState({ site }: { site: Site }) {
  const { connection } = useLive();
  const isDown = connection.state === "reconnecting" || connection.state === "offline";
  return (
    <span className={styles.connection} data-state={connection.state}>
      <span className={styles.dot} aria-hidden="true" />
      {STATE_LABELS[connection.state]}
      {isDown ? ` ${time(connection.since, site)}` : ""}
    </span>
  );
}

export function TopLine() {
  const { data: site } = useSite();
  return (
    <div className={styles.line}>
      <strong className={styles.site}>{site?.name ?? "Peerwatt"}</strong>
      {site ? <RunningInterval site={site} /> : null}
      {site ? <ConnectionState site={site} /> : null}
    </div>
  );
}
