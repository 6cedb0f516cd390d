// Site, the running interval with a thin bar that fills until it closes, and the state of the connection.
import { countdown, interval, time } from "../lib/format";
import { type Site, useSite } from "../lib/site";
import { useNow } from "../lib/useNow";
import { type Connection, useLive } from "../live/LiveProvider";
import styles from "./TopLine.module.css";

/** The interval that runs at this moment, from the site's interval length. */
export function runningInterval(now: Date, lengthS: number): { start: Date; end: Date; done: number } {
  const length = lengthS * 1000;
  const start = Math.floor(now.getTime() / length) * length;
  return { start: new Date(start), end: new Date(start + length), done: (now.getTime() - start) / length };
}

function RunningInterval({ site }: { site: Site }) {
  const now = useNow();
  const { start, end, done } = runningInterval(now, site.interval_s);
  return (
    <div className={styles.interval}>
      <span>
        {interval(start, end, site)}
        <span className={styles.left}> closes in {countdown(end, now)}</span>
      </span>
      <span className={styles.bar} aria-hidden="true">
        <span style={{ width: `${Math.round(done * 100)}%` }} />
      </span>
    </div>
  );
}

const WORDS: Record<Connection["state"], string> = {
  connecting: "connecting",
  live: "live",
  reconnecting: "reconnecting since",
  offline: "offline since",
};

function ConnectionState({ site }: { site: Site }) {
  const { connection } = useLive();
  const since = connection.state === "reconnecting" || connection.state === "offline";
  return (
    <span className={styles.connection} data-state={connection.state}>
      <span className={styles.dot} aria-hidden="true" />
      {WORDS[connection.state]}
      {since ? ` ${time(connection.since, site)}` : ""}
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
