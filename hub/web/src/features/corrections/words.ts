// Corrections in words: what was, what is, and why, as a person would tell it.
import { calendarDay, day, dayAndInterval, dayAndTime, energy, type Place } from "../../lib/format";
import type { CorrectionCause, CorrectionLine, CorrectionNotice } from "./queries";

type Change = { old_import_wh: number; new_import_wh: number; old_export_wh: number; new_export_wh: number };

/** "324 Wh taken became 352 Wh"; with both directions where both changed. */
function energyChange(change: Change): string {
  const directions = [
    { name: "taken", before: change.old_import_wh, after: change.new_import_wh },
    { name: "given", before: change.old_export_wh, after: change.new_export_wh },
  ].filter(({ before, after }) => before !== after);
  if (directions.length === 0) return "the amount with the utility was computed again";
  return directions
    .map(({ name, before, after }) => `${energy(before)} ${name} became ${energy(after)}`)
    .join(", and ");
}

const REASONS: Record<CorrectionCause["cause"], string> = {
  late_readings: "readings came late",
  counter_event: "the gateway has told what happened to the meter's counter",
  entered_registers: "the operator entered what the meter showed before and after a change",
  energy_decision: "the operator decided about the energy",
};

/** "because readings came late"; what is not known to have come is not made up. */
function because(causes: readonly CorrectionCause["cause"][]): string {
  const reasons = [...new Set(causes)].map((cause) => REASONS[cause]);
  return reasons.length === 0
    ? "when the same readings were computed again"
    : `because ${reasons.join(", and ")}`;
}

export function noticeSentence(notice: CorrectionNotice): string {
  return `Corrected on ${calendarDay(notice.day)}: ${energyChange(notice)} ${because(notice.causes)}.`;
}

/** Which intervals a notice is about: "3 intervals, Mon 1 Jun, 12:15–13:00". */
export function noticeIntervals(notice: CorrectionNotice, place: Place): string {
  const { start_at, end_at, intervals } = notice;
  const last = new Date(Date.parse(end_at) - 1);
  const when =
    day(start_at, place) === day(last, place)
      ? dayAndInterval(start_at, end_at, place)
      : `${day(start_at, place)} to ${day(last, place)}`;
  return `${intervals === 1 ? "1 interval" : `${intervals} intervals`}, ${when}`;
}

export function lineSentence({ before, after }: CorrectionLine): string {
  const text = energyChange({
    old_import_wh: before.import_wh,
    new_import_wh: after.import_wh,
    old_export_wh: before.export_wh,
    new_export_wh: after.export_wh,
  });
  const quality =
    before.quality === after.quality ? "" : `, ${before.quality} before and ${after.quality} now`;
  return `${text}${quality}.`.replace(/^./, (first) => first.toUpperCase());
}

const count = (readings: number) => (readings === 1 ? "1 reading" : `${readings} readings`);

/** The first letters of a boot's id: enough to find it in the gateway's ledger. */
const BOOT_DIGITS = 8;

/** From one moment to another: both days where they differ, one moment where they do not. */
function momentsText(first: string, last: string, place: Place): string {
  if (first === last) return dayAndTime(first, place);
  return day(first, place) === day(last, place)
    ? dayAndInterval(first, last, place)
    : `${dayAndTime(first, place)} to ${dayAndTime(last, place)}`;
}

/** What came, for those who look it up: readings by time, sequence and boot; an event; the person's reason. */
export function causeText(cause: CorrectionCause, place: Place): string {
  const when = momentsText(cause.first_at, cause.last_at, place);
  const { first_sequence: first, last_sequence: last } = cause;
  switch (cause.cause) {
    case "late_readings": {
      const numbers = first === last ? `number ${first}` : `numbers ${first} to ${last}`;
      return `${count(cause.readings)} came late: ${when}, ${numbers} of boot ${cause.boot_id?.slice(0, BOOT_DIGITS)}`;
    }
    case "counter_event":
      return `The gateway signed what happened to the counter (${cause.detail.replace("_", " ")}): ${when}`;
    case "entered_registers":
      return `The operator entered registers for ${when}: ${cause.detail}`;
    case "energy_decision":
      return `The operator decided about ${when}: ${cause.detail}`;
  }
}
