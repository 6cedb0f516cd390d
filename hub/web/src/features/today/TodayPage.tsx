// Today: how am I doing right now? The sentence first, then the key figures, the day and what happened lately.
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { useSession } from "../../auth/session";
import { interval, power, time } from "../../lib/format";
import { hubNow } from "../../lib/serverClock";
import type { Site } from "../../lib/site";
import { useNow } from "../../lib/useNow";
import { useTitle } from "../../lib/useTitle";
import { useLive } from "../../live/LiveProvider";
import { EmptyState } from "../../ui/EmptyState";
import { ResourcePage } from "../../ui/Resource";
import { Skeleton } from "../../ui/Skeleton";
import ui from "../../ui/ui.module.css";
import { Warning } from "../../ui/Warning";
import { CorrectionNotices } from "../corrections/parts/CorrectionNotices";
import { DayChart } from "./chart/DayChart";
import { NextClearing, PowerNow, Saved } from "./parts/KeyFigures";
import { RecentEvents } from "./parts/RecentEvents";
import { SavingFormula } from "./parts/SavingFormula";
import { type Today, useToday } from "./queries";
import styles from "./styles.module.css";
import { priceNote, qualityNote, summarySentence, tone, withStaleness } from "./summary";

const skeleton = (
  <div>
    <div className={styles.summary}>
      <Skeleton width="70%" height={40} />
      <Skeleton width="45%" height={18} />
    </div>
    <div className={styles.keyFigures}>
      <Skeleton height={188} />
      <Skeleton height={188} />
      <Skeleton height={188} />
    </div>
    <Skeleton height={420} />
  </div>
);

/** The sentence, with its power in the colour that it has on the chart. */
function Sentence({ today, site }: { today: Today; site: Site }) {
  const text = summarySentence(today, site.tariffs, site.currency, site);
  const watts = today.power_w === null ? "" : power(today.power_w);
  const at = watts === "" ? -1 : text.indexOf(watts);
  if (at < 0) return <h1>{text}</h1>;
  return (
    <h1>
      {text.slice(0, at)}
      <em data-tone={tone(today)}>{watts}</em>
      {text.slice(at + watts.length)}
    </h1>
  );
}

type Props = { today: Today; site: Site; refreshFailed: boolean; staleNotice: ReactNode };

function Summary({ today, site, refreshFailed, staleNotice }: Props) {
  const { connection } = useLive();
  const quality = qualityNote(today);
  const disconnected = connection.state === "reconnecting" || connection.state === "offline";
  return (
    <header className={styles.summary}>
      <Sentence today={today} site={site} />
      <p className={ui.quiet}>{priceNote(today, site)}</p>
      {quality === null ? null : <p className={ui.quiet}>{quality}</p>}
      {staleNotice}
      {disconnected && !refreshFailed ? (
        <Warning>
          The live connection is lost since {time(connection.since, site)}: figures are as of{" "}
          {time(today.now, site)} and are asked for again every half minute.
        </Warning>
      ) : null}
    </header>
  );
}

function Day({ today, site, ...state }: Props) {
  const [formulaOpen, setFormulaOpen] = useState(false);
  if (today.power_at === null && today.intervals.length === 0 && today.happened.length === 0) {
    return (
      <EmptyState title="Your day begins with the first reading">
        Your meters have not sent anything yet. {interval(today.running.start_at, today.running.end_at, site)}{" "}
        is running; what your meters send of it appears here by itself.
      </EmptyState>
    );
  }
  return (
    <>
      <Summary today={today} site={site} {...state} />
      <div className={styles.keyFigures}>
        <PowerNow today={today} site={site} />
        <Saved today={today} site={site} open={formulaOpen} toggle={() => setFormulaOpen(!formulaOpen)} />
        <NextClearing today={today} site={site} />
        {formulaOpen ? <SavingFormula today={today} site={site} /> : null}
      </div>
      <div className={ui.stack}>
        <CorrectionNotices notices={today.corrections} site={site} />
        <DayChart today={today} place={site} />
        <RecentEvents today={today} site={site} />
      </div>
    </>
  );
}

export function TodayPage() {
  useTitle("Today");
  const { user } = useSession();
  const isParticipant = Boolean(user?.participant_id);
  const today = useToday(isParticipant);
  // An answer gets stale while nothing else happens
  useNow(10_000);
  if (!isParticipant) {
    return (
      <EmptyState title="Your account takes no part in the market">
        {user?.display_name}, you are signed in as {user?.role.replace("_", " ")}: there is no day of your own
        to show. You can <Link to="/proof">check any reading</Link>.
      </EmptyState>
    );
  }
  return (
    <ResourcePage name="your day" queries={{ today }} skeleton={skeleton} staleNotice="inside">
      {(data, site, staleNotice) => (
        <Day
          today={withStaleness(data.today, hubNow())}
          site={site}
          refreshFailed={today.isError}
          staleNotice={staleNotice}
        />
      )}
    </ResourcePage>
  );
}
