// What a row of the day's table and a card of the same interval have in common.
import { energy, type Place } from "../../../lib/format";
import { ProofLink } from "../../../ui/ProofLink";
import type { BillLine, DayInterval } from "../queries";

export const STATES: Record<DayInterval["state"], string> = {
  attested: "metered",
  cleared: "cleared",
  planned: "settling",
  settling: "settling",
  closed: "settled",
  reconciled: "final",
};

export const utility = (wh: number) =>
  wh === 0 ? energy(0) : `${energy(Math.abs(wh))} ${wh > 0 ? "out" : "in"}`;

export type RowProps = { row: DayInterval; line: BillLine | undefined; place: Place; currency: string };

/** The proof of each meter behind an interval. */
export function Proofs({ line, start, name }: { line: BillLine | undefined; start: string; name: string }) {
  return line?.meters.map((meter) => (
    <ProofLink
      key={meter.meter_id}
      readingId={meter.end_reading_id ?? meter.start_reading_id}
      interval={start}
      of={`${meter.meter_id}, ${name}`}
    >
      {line.meters.length > 1 ? meter.meter_id : "Show proof"}
    </ProofLink>
  ));
}
