// The correction lines of one day: interval by interval what was, what is, the money, and what came.
import { dayAndInterval, signedMoney } from "../../../lib/format";
import type { Site } from "../../../lib/site";
import { LoadMore } from "../../../ui/LoadMore";
import { ProofLink } from "../../../ui/ProofLink";
import { Resource } from "../../../ui/Resource";
import { Skeleton } from "../../../ui/Skeleton";
import ui from "../../../ui/ui.module.css";
import {
  type CorrectedMeter,
  type CorrectionLine,
  type CorrectionNotice,
  useCorrectionLines,
} from "../queries";
import styles from "../styles.module.css";
import { causeText, lineSentence } from "../words";

type MeterProps = { meter: CorrectedMeter; line: CorrectionLine; name: string; site: Site };

function Meter({ meter, line, name, site }: MeterProps) {
  return (
    <div className={styles.meter}>
      <p className={ui.quiet}>
        <b>{meter.meter_id}</b>{" "}
        <ProofLink
          readingId={meter.proof_reading_id}
          interval={line.start_at}
          revision={line.after.revision}
          of={`${meter.meter_id}, ${name}, as corrected`}
        />
      </p>
      <ul className={ui.quiet}>
        {meter.causes.map((cause) => (
          <li key={`${cause.cause} ${cause.boot_id ?? ""} ${cause.first_at}`}>{causeText(cause, site)}</li>
        ))}
        {meter.before.rules.map(({ rule, says }) => (
          <li key={rule}>Before: {says || rule}</li>
        ))}
      </ul>
    </div>
  );
}

function Line({ line, site }: { line: CorrectionLine; site: Site }) {
  const name = dayAndInterval(line.start_at, line.end_at, site);
  return (
    <li className={styles.line}>
      <div>
        <p>
          <b>{name}</b>
        </p>
        <p>{lineSentence(line)}</p>
        {line.meters.map((meter) => (
          <Meter key={meter.meter_id} meter={meter} line={line} name={name} site={site} />
        ))}
      </div>
      <b className={styles.money}>{signedMoney(line.change_micros, site.currency)}</b>
    </li>
  );
}

export function CorrectionLines({ notice, site }: { notice: CorrectionNotice; site: Site }) {
  const lines = useCorrectionLines(notice, true);
  return (
    <Resource
      name="the corrections"
      queries={{ lines }}
      skeleton={<Skeleton height={72} />}
      failed={<p className={ui.quiet}>The hub does not tell the corrections at the moment.</p>}
    >
      {(data) => (
        <>
          <ul aria-label="Corrected intervals">
            {data.lines.pages
              .flatMap((page) => page.items)
              .map((line) => (
                <Line key={`${line.start_at} ${line.after.revision}`} line={line} site={site} />
              ))}
          </ul>
          <LoadMore query={lines} label="More corrected intervals" />
        </>
      )}
    </Resource>
  );
}
