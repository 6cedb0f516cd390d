// Three lines of what happened lately, each with a link to its trade.
import { Link } from "@tanstack/react-router";
import { ago, interval, signedMoney } from "../../../lib/format";
import type { Site } from "../../../lib/site";
import { useNow } from "../../../lib/useNow";
import { Card } from "../../../ui/Card";
import { SideMark } from "../../../ui/SideMark";
import ui from "../../../ui/ui.module.css";
import { eventLabel } from "../labels";
import type { RecentEvent, Today } from "../queries";
import styles from "../styles.module.css";

function EventMark({ kind }: { kind: RecentEvent["kind"] }) {
  if (kind === "sold") return <SideMark side="sell" sizePx={12} />;
  if (kind === "bought") return <SideMark side="buy" sizePx={12} />;
  return <span className={styles.eventMark} data-kind={kind} aria-hidden="true" />;
}

function EventText({ event, currency }: { event: RecentEvent; currency: string }) {
  const text = eventLabel(event, currency);
  if (event.trade_id) {
    return (
      <Link to="/trades/$tradeId" params={{ tradeId: event.trade_id }}>
        {text}
      </Link>
    );
  }
  return event.kind === "reconciled" ? text : <Link to="/trades">{text}</Link>;
}

function EventItem({ event, site, now }: { event: RecentEvent; site: Site; now: Date }) {
  const signedMicros =
    event.micros !== null && event.kind === "bought" ? -Math.abs(event.micros) : event.micros;
  return (
    <li className={styles.event}>
      <EventMark kind={event.kind} />
      <div>
        <p>
          <EventText event={event} currency={site.currency} />
        </p>
        <p className={ui.quiet}>
          {interval(event.start_at, event.end_at, site)}, {ago(event.at, now)}
        </p>
      </div>
      {signedMicros === null ? null : <b>{signedMoney(signedMicros, site.currency)}</b>}
    </li>
  );
}

export function RecentEvents({ today, site }: { today: Today; site: Site }) {
  const now = useNow(10_000);
  return (
    <Card
      title="What happened"
      aside={
        <Link to="/trades" className={styles.allTrades}>
          All trades
        </Link>
      }
    >
      {today.happened.length === 0 ? (
        <p className={ui.quiet}>
          Nothing yet. What you trade with your neighbours appears here a moment after an interval closes.
        </p>
      ) : (
        <ul>
          {today.happened.map((event) => (
            <EventItem
              key={`${event.kind} ${event.start_at} ${event.trade_id ?? ""}`}
              event={event}
              site={site}
              now={now}
            />
          ))}
        </ul>
      )}
    </Card>
  );
}
