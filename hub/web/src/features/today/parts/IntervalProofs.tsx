// The links from an interval of the day to the proof of each meter behind it, in the table and on the cards alike.
import type { Place } from "../../../lib/format";
import { ProofLink } from "../../../ui/ProofLink";
import type { BillLine, DayInterval } from "../queries";

/** An interval as a row of the table or as a card. */
export type IntervalProps = {
  interval: DayInterval;
  billLine: BillLine | undefined;
  place: Place;
  currency: string;
};

type Props = { billLine: BillLine | undefined; startAt: string; name: string };

export function IntervalProofs({ billLine, startAt, name }: Props) {
  return billLine?.meters.map((meter) => (
    <ProofLink
      key={meter.meter_id}
      readingId={meter.end_reading_id ?? meter.start_reading_id}
      interval={startAt}
      revision={billLine.revision}
      of={`${meter.meter_id}, ${name}`}
    >
      {billLine.meters.length > 1 ? meter.meter_id : "Show proof"}
    </ProofLink>
  ));
}
