import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Site } from "../../lib/site";
import { CorrectionNotices } from "./parts/CorrectionNotices";
import type { CorrectionCause, CorrectionLine, CorrectionNotice } from "./queries";
import { causeText, lineSentence, noticeIntervals, noticeSentence } from "./words";

const ZURICH = { timezone: "Europe/Zurich", sun_offset_s: 0 };

const notice: CorrectionNotice = {
  day: "2026-03-12",
  first_corrected_at: "2026-03-12T07:00:00Z",
  last_corrected_at: "2026-03-12T07:00:30.250Z",
  intervals: 1,
  start_at: "2026-03-11T11:00:00Z",
  end_at: "2026-03-11T11:15:00Z",
  old_import_wh: 324,
  new_import_wh: 352,
  old_export_wh: 0,
  new_export_wh: 0,
  change_micros: -140_000,
  causes: ["late_readings"],
};

const cause: CorrectionCause = {
  cause: "late_readings",
  boot_id: "0b".repeat(16),
  first_sequence: 41,
  last_sequence: 55,
  first_at: "2026-03-11T11:01:00Z",
  last_at: "2026-03-11T11:15:00Z",
  readings: 15,
  detail: "",
};

const value = { start_reading_id: "a".repeat(64), end_reading_id: null, export_wh: 0 };
const line: CorrectionLine = {
  start_at: notice.start_at,
  end_at: notice.end_at,
  corrected_at: notice.first_corrected_at,
  before: {
    revision: 1,
    import_wh: 324,
    export_wh: 0,
    utility_wh: -324,
    utility_micros: -1_620_000,
    quality: "estimated",
  },
  after: {
    revision: 2,
    import_wh: 352,
    export_wh: 0,
    utility_wh: -352,
    utility_micros: -1_760_000,
    quality: "valid",
  },
  import_change_wh: 28,
  export_change_wh: 0,
  utility_change_wh: -28,
  change_micros: -140_000,
  carried: true,
  meters: [
    {
      meter_id: "METER_002",
      before: {
        ...value,
        import_wh: 324,
        quality: "estimated",
        rules: [{ rule: "not_measured", says: "A part of the interval was not measured.", doubt: true }],
      },
      after: { ...value, import_wh: 352, quality: "valid", rules: [] },
      proof_reading_id: "c".repeat(64),
      causes: [cause],
    },
  ],
};

test.each<[Partial<CorrectionNotice>, string]>([
  [{}, "Corrected on 12 March: 324 Wh taken became 352 Wh because readings came late."],
  [
    { old_export_wh: 10, new_export_wh: 0, causes: ["counter_event", "late_readings"] },
    "Corrected on 12 March: 324 Wh taken became 352 Wh, and 10 Wh given became 0 Wh because the gateway has told what " +
      "happened to the meter's counter, and readings came late.",
  ],
  [
    { new_import_wh: 324, old_export_wh: 0, new_export_wh: 9, causes: ["entered_registers"] },
    "Corrected on 12 March: 0 Wh given became 9 Wh because the operator entered what the meter showed before and " +
      "after a change.",
  ],
  [
    { causes: [] },
    "Corrected on 12 March: 324 Wh taken became 352 Wh when the same readings were computed again.",
  ],
  [
    { new_import_wh: 324 },
    "Corrected on 12 March: the amount with the utility was computed again because readings came late.",
  ],
])("a notice says what was, what is and why: %j", (values, expected) => {
  expect(noticeSentence({ ...notice, ...values })).toBe(expected);
});

test("a notice names its intervals, and both days where there are two", () => {
  expect(noticeIntervals(notice, ZURICH)).toMatch(/^1 interval, Wed,? 11 Mar, 12:00–12:15$/);
  expect(noticeIntervals({ ...notice, intervals: 44, end_at: "2026-03-11T23:00:00Z" }, ZURICH)).toMatch(
    /^44 intervals, Wed,? 11 Mar, 12:00–00:00$/,
  );
  expect(noticeIntervals({ ...notice, intervals: 45, end_at: "2026-03-11T23:15:00Z" }, ZURICH)).toMatch(
    /^45 intervals, Wed,? 11 Mar to Thu,? 12 Mar$/,
  );
});

test("a line says the quality where it changed", () => {
  expect(lineSentence(line)).toBe("324 Wh taken became 352 Wh, estimated before and valid now.");
  expect(lineSentence({ ...line, before: { ...line.before, quality: "valid" } })).toBe(
    "324 Wh taken became 352 Wh.",
  );
});

test("a cause can be looked up: readings by time, number and boot, an event by kind, an entry by its reason", () => {
  expect(causeText(cause, ZURICH)).toMatch(
    /^15 readings came late: Wed,? 11 Mar, 12:01–12:15, numbers 41 to 55 of boot 0b0b0b0b$/,
  );
  const one = { ...cause, readings: 1, last_sequence: 41, last_at: cause.first_at };
  expect(causeText(one, ZURICH)).toMatch(/^1 reading came late: Wed,? 11 Mar, 12:01, number 41 of boot/);
  const long = { ...cause, last_at: "2026-03-13T11:15:00Z" };
  expect(causeText(long, ZURICH)).toMatch(/: Wed,? 11 Mar, 12:01 to Fri,? 13 Mar, 12:15, numbers/);
  expect(causeText({ ...one, cause: "counter_event", detail: "step_back" }, ZURICH)).toMatch(
    /\(step back\): Wed,? 11 Mar, 12:01$/,
  );
  const entered = { ...one, cause: "entered_registers", boot_id: null, detail: "swapped" } as const;
  expect(causeText(entered, ZURICH)).toMatch(/registers for Wed,? 11 Mar, 12:01: swapped$/);
  const decided = { ...entered, cause: "energy_decision", detail: "accept: looked at it" } as const;
  expect(causeText(decided, ZURICH)).toMatch(/decided about Wed,? 11 Mar, 12:01: accept: looked at it$/);
});

vi.mock("../../ui/ProofLink", () => ({
  ProofLink: ({ readingId, revision, of }: { readingId: string; revision: number; of: string }) => (
    <a href={`/proof/${readingId}?revision=${revision}`}>Show proof of {of}</a>
  ),
}));

const asked: URL[] = [];
const SITE = { ...ZURICH, currency: "CHF" } as Site;

function show(notices: CorrectionNotice[]) {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <CorrectionNotices notices={notices} site={SITE} />
    </QueryClientProvider>,
  );
}

beforeEach(() => {
  asked.length = 0;
  vi.stubGlobal("fetch", async (request: Request) => {
    const url = new URL(request.url);
    if (url.pathname.endsWith("/bill-corrections")) asked.push(url);
    return Response.json({ items: [line], next_cursor: null });
  });
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

test("a bill that was not corrected says nothing", () => {
  show([]);
  expect(screen.queryByText(/corrected/i)).toBeNull();
});

test("a notice opens to its intervals, asked for by when they were corrected, with what came and the proof", async () => {
  show([notice]);
  expect(screen.getByText("−CHF 0.14")).toBeTruthy();
  expect(asked).toEqual([]);
  await userEvent.click(screen.getByRole("button", { name: "Which intervals, and why" }));
  expect(await screen.findByText("324 Wh taken became 352 Wh, estimated before and valid now.")).toBeTruthy();
  expect(asked.map((url) => [url.searchParams.get("from"), url.searchParams.get("to")])).toEqual([
    ["2026-03-12T07:00:00Z", "2026-03-12T07:00:30.251Z"],
  ]);
  expect(screen.getByText(/15 readings came late/)).toBeTruthy();
  expect(screen.getByText("Before: A part of the interval was not measured.")).toBeTruthy();
  expect(screen.getByRole("link", { name: /METER_002/ }).getAttribute("href")).toBe(
    `/proof/${"c".repeat(64)}?revision=2`,
  );
  await userEvent.click(screen.getByRole("button", { name: "Hide the intervals" }));
  expect(screen.queryByText(/15 readings/)).toBeNull();
});
