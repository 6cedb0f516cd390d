// Today: how am I doing right now? The sentence first, then the figures, the day and what happened lately.
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useSession } from "../../auth/session";
import { interval, power, time } from "../../lib/format";
import { hubNow } from "../../lib/serverClock";
import { type Site, useSite } from "../../lib/site";
import { useNow } from "../../lib/useNow";
import { useTitle } from "../../lib/useTitle";
import { useLive } from "../../live/LiveProvider";
import { StaleNotice } from "../../ui/StaleNotice";
import { Bone, Empty, Failed, StaleNote } from "../../ui/states";
import { DayChart } from "./chart/DayChart";
import { NextClearing, PowerNow, Saved } from "./parts/KeyFigures";
import { RecentEvents } from "./parts/RecentEvents";
import { SavingFormula } from "./parts/SavingFormula";
import { type Today as TodayFigures, useToday } from "./queries";
import styles from "./styles.module.css";
import { asOf, priceNote, sentence, tone } from "./summary";

function Loading() {
  return (
    <div aria-busy="true">
      <span className="pw-visually-hidden">Loading your day</span>
      <div className={styles.hero}>
        <Bone width="70%" height={40} />
        <Bone width="45%" height={18} />
      </div>
      <div className={styles.grid}>
        <Bone height={188} />
        <Bone height={188} />
        <Bone height={188} />
      </div>
      <Bone height={420} />
    </div>
  );
}

/** The sentence with its power in the colour that it has on the chart. */
function Sentence({ today, site }: { today: TodayFigures; site: Site }) {
  const text = sentence(today, site.tariffs, site.currency, site);
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

type Query = ReturnType<typeof useToday>;
type Props = { today: TodayFigures; site: Site; query: Query };

function Lead({ today, site, query }: Props) {
  const { connection } = useLive();
  const cut = connection.state === "reconnecting" || connection.state === "offline";
  return (
    <header className={styles.hero}>
      <Sentence today={today} site={site} />
      <p className={styles.quiet}>{priceNote(today, site)}</p>
      <StaleNotice of={[query]} />
      {cut && !query.isError ? (
        <StaleNote>
          The live connection is lost since {time(connection.since, site)}: figures are as of{" "}
          {time(today.now, site)} and are asked for again every half minute.
        </StaleNote>
      ) : null}
    </header>
  );
}

function Day({ today, site, query }: Props) {
  const [formula, setFormula] = useState(false);
  if (today.power_at === null && today.intervals.length === 0 && today.happened.length === 0) {
    return (
      <Empty title="Your day begins with the first reading">
        Your meters have not sent anything yet. {interval(today.running.start_at, today.running.end_at, site)}{" "}
        is running; what your meters send of it appears here by itself.
      </Empty>
    );
  }
  return (
    <>
      <Lead today={today} site={site} query={query} />
      <div className={styles.grid}>
        <PowerNow today={today} site={site} />
        <Saved today={today} site={site} open={formula} toggle={() => setFormula(!formula)} />
        <NextClearing today={today} site={site} />
        {formula ? <SavingFormula today={today} site={site} /> : null}
      </div>
      <div className={styles.rows}>
        <DayChart today={today} place={site} />
        <RecentEvents today={today} site={site} />
      </div>
    </>
  );
}

export function TodayPage() {
  useTitle("Today");
  const { user } = useSession();
  const takesPart = user?.participant_id !== null && user?.participant_id !== undefined;
  const site = useSite();
  const today = useToday(takesPart);
  useNow(10_000);
  if (!takesPart) {
    return (
      <Empty title="Your account takes no part in the market">
        {user?.display_name}, you are signed in as {user?.role.replace("_", " ")}: there is no day of your own
        to show. You can <Link to="/proof">check any reading</Link>.
      </Empty>
    );
  }
  const failed = [today, site].find((one) => one.isError && !one.data);
  if (failed)
    return <Failed error={failed.error} retry={() => Promise.all([today.refetch(), site.refetch()])} />;
  if (!today.data || !site.data) return <Loading />;
  return <Day today={asOf(today.data, hubNow())} site={site.data} query={today} />;
}
