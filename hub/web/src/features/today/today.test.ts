import { expect, test } from "vitest";
import { extent, toBar, toBars, totals, unitFor } from "./chart/bars";
import { scaleAround, shiftInto } from "./chart/zoom";
import { eventLabel } from "./labels";
import type { DayInterval, Today } from "./queries";
import { priceNote, qualityNote, summarySentence, tone, withStaleness } from "./summary";

const interval: DayInterval = {
  start_at: "2026-06-01T09:30:00Z",
  end_at: "2026-06-01T09:45:00Z",
  state: "reconciled",
  quality: "valid",
  revision: 1,
  import_wh: 100,
  export_wh: 1000,
  own_use_wh: 100,
  sold_wh: 700,
  bought_wh: 0,
  utility_wh: 200,
  price_mills: 4120,
  credit_micros: 2_884_000,
  debit_micros: 0,
  charges_micros: 0,
  utility_micros: 440_000,
  total_micros: 3_324_000,
  baseline_micros: 1_980_000,
  saved_micros: 1_344_000,
};

const today = (values: Partial<Today>): Today => ({
  now: "2026-06-01T10:01:30Z",
  participant_id: "00000000-0000-0000-0000-0000000000a1",
  day_start_at: "2026-05-31T22:00:00Z",
  power_w: -1240,
  power_at: "2026-06-01T10:01:00Z",
  stale: false,
  direction: "giving",
  price_mills: 3400,
  price_start_at: "2026-06-01T09:30:00Z",
  all_in_price_mills: 3530,
  last: interval,
  running: {
    start_at: "2026-06-01T10:00:00Z",
    end_at: "2026-06-01T10:15:00Z",
    import_wh: 6,
    export_wh: 66,
    until: "2026-06-01T10:01:00Z",
  },
  next_clearing_at: "2026-06-01T10:15:00Z",
  next_clearing_latest_at: "2026-06-01T10:17:00Z",
  intervals: [interval],
  saved_micros: 1_344_000,
  saved_formula: {
    credit_micros: 2_884_000,
    debit_micros: 0,
    utility_micros: 440_000,
    total_micros: 3_324_000,
    baseline_micros: 1_980_000,
    saved_micros: 1_344_000,
    import_wh: 100,
    export_wh: 1000,
    export_tariff_mills: 2200,
    import_tariff_mills: 5000,
  },
  happened: [],
  corrections: [],
  ...values,
});

const TARIFFS = { export_mills: 2200, import_mills: 5000 };
const ZURICH = { timezone: "Europe/Zurich", sun_offset_s: 0, interval_s: 900, currency: "CHF" };
const NEWEST = { start_at: "2026-06-01T09:45:00Z", end_at: "2026-06-01T10:00:00Z" } as const;
const newest = (values: Partial<DayInterval>) => ({ ...interval, ...NEWEST, ...values });

test.each([
  [{}, "You are giving 1.2 kW, to your neighbours first, at CHF 4.12 per kWh."],
  [
    { intervals: [newest({ utility_wh: 0 })] },
    "You are giving 1.2 kW to your neighbours at CHF 4.12 per kWh.",
  ],
  [{ intervals: [newest({ sold_wh: 0 })] }, "You are giving 1.2 kW to the utility at CHF 2.20 per kWh."],
  // Attested, and not cleared yet: the one before still counts
  [
    { intervals: [interval, newest({ state: "attested", sold_wh: 0, price_mills: null })] },
    "You are giving 1.2 kW, to your neighbours first, at CHF 4.12 per kWh.",
  ],
  [{ now: "2026-06-01T10:20:00Z" }, "You are giving 1.2 kW to the utility at CHF 2.20 per kWh."],
  [{ intervals: [], last: null }, "You are giving 1.2 kW to the utility at CHF 2.20 per kWh."],
  [{ stale: true }, "At 12:01:00 you were giving 1.2 kW. Nothing has come since."],
  [{ power_w: 600 }, "You are taking 600 W from the utility at CHF 5.00 per kWh."],
  [
    { power_w: 600, intervals: [newest({ bought_wh: 346, charges_micros: 346 * 130 })] },
    "You are taking 600 W, from your neighbours first, at CHF 4.25 per kWh.",
  ],
  [{ power_w: 0 }, "You make exactly what you use."],
  [{ power_w: null }, "Your meters have not told their power yet."],
])("the sentence for %j", (values, expected) => {
  expect(summarySentence(today(values as Partial<Today>), TARIFFS, "CHF", ZURICH)).toBe(expected);
});

test("an answer that could not be asked for again for long speaks of the past", () => {
  const after = (seconds: number) =>
    withStaleness(today({}), new Date(Date.parse(today({}).now) + seconds * 1000));
  expect(after(60).stale).toBe(false);
  expect(after(90).stale).toBe(true);
});

test("the power has the colour of the other side", () => {
  expect(tone(today({}))).toBe("sold");
  expect(tone(today({ power_w: 600 }))).toBe("utility");
  expect(tone(today({ power_w: 600, intervals: [newest({ bought_wh: 1 })] }))).toBe("bought");
  expect(tone(today({ intervals: [newest({ sold_wh: 0 })] }))).toBe("utility");
  expect(tone(today({ stale: true }))).toBe("none");
  expect(tone(today({ power_w: null }))).toBe("none");
});

test("the note is about the price that the sentence names, with the interval and an earlier day", () => {
  const nothingSold = { intervals: [newest({ sold_wh: 0 })] };
  expect(priceNote(today({}), ZURICH)).toMatch(/^That is the last price, of 11:30–11:45\./);
  expect(priceNote(today(nothingSold), ZURICH)).toBe(
    "That is the utility's tariff. The last price between neighbours was CHF 3.40, of 11:30–11:45.",
  );
  expect(priceNote(today({ ...nothingSold, price_start_at: "2026-05-30T09:30:00Z" }), ZURICH)).toMatch(
    /of Sat,? 30 May, 11:30–11:45/,
  );
  expect(priceNote(today({ stale: true }), ZURICH)).toMatch(/^The last price between neighbours/);
  expect(priceNote(today({ ...nothingSold, price_mills: null }), ZURICH)).toMatch(/tariffs count/);
});

test("what was bought is told at what it cost, charges included, as its trade shows it", () => {
  const at = "2026-06-01T09:45:06Z";
  const bought = {
    kind: "bought",
    at,
    start_at: interval.start_at,
    end_at: interval.end_at,
    trade_id: null,
  } as const;
  expect(eventLabel({ ...bought, wh: 84, price_mills: 4120, micros: 84 * 4250 }, "EUR")).toBe(
    "Bought 84 Wh from your neighbours at EUR 4.25 per kWh",
  );
});

test("used energy stands above the line, given energy below; nothing is counted twice", () => {
  const bar = toBar(interval);
  expect(extent(bar)).toEqual({ used: 100, given: 900 });
  expect(bar.parts).toEqual({ own: 100, bought: 0, sold: 700, utility: -200, open: 0 });
  expect(extent(toBar({ ...interval, bought_wh: 50, sold_wh: 0, utility_wh: -30 }))).toEqual({
    used: 180,
    given: 0,
  });
});

test("what is not cleared has no other side yet", () => {
  const bars = toBars(today({ intervals: [interval, { ...interval, state: "attested" }] }));
  expect(bars.map((bar) => bar.provisional)).toEqual([false, true, true]);
  expect(bars[1]?.parts).toEqual({ own: 100, bought: 0, sold: 700, utility: 0, open: -200 });
  expect(bars[2]?.parts).toEqual({ own: 6, bought: 0, sold: 0, utility: 0, open: -60 });
  expect(totals(bars)).toEqual({ own: 206, bought: 0, sold: 1400, utility: 200, open: 260 });
});

test("small days are told in Wh", () => {
  expect(unitFor([]).name).toBe("Wh");
  expect(unitFor([toBar(interval)]).name).toBe("Wh");
  expect(unitFor([toBar({ ...interval, sold_wh: 800 })]).name).toBe("kWh");
});

test("zooming keeps the point under the pointer and stays within the day", () => {
  const day = { min: 0, max: 100 };
  expect(scaleAround(day, day, 50, 0.5, 4)).toEqual({ min: 25, max: 75 });
  expect(scaleAround(day, day, 0, 0.5, 4)).toEqual({ min: 0, max: 50 });
  expect(scaleAround({ min: 10, max: 12 }, day, 11, 0.1, 4)).toEqual({ min: 9, max: 13 });
  expect(scaleAround({ min: 60, max: 90 }, day, 90, 10, 4)).toEqual(day);
  expect(shiftInto({ min: 90, max: 120 }, day)).toEqual({ min: 70, max: 100 });
});

test("energy that nobody measured yet is said to be an estimate", () => {
  const estimated: DayInterval = { ...interval, quality: "estimated" };
  const missing: DayInterval = { ...interval, quality: "missing" };
  // Another meter's correction made this revision: it says nothing of one's own energy
  const ofANeighbour: DayInterval = { ...interval, revision: 2 };
  expect(qualityNote(today({ intervals: [interval, ofANeighbour] }))).toBeNull();
  expect(qualityNote(today({ intervals: [interval, estimated] }))).toBe(
    "1 interval of today is estimated, at the utility's tariff: this will be corrected when the missing readings come.",
  );
  expect(qualityNote(today({ intervals: [estimated, missing, ofANeighbour] }))).toBe(
    "2 intervals of today are estimated, at the utility's tariff: this will be corrected when the missing readings come.",
  );
});
