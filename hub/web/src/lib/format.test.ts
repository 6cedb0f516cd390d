import { expect, test } from "vitest";
import {
  countdown,
  energy,
  exactMoney,
  interval,
  money,
  power,
  price,
  signedMoney,
  splitUnit,
} from "./format";

test("energy keeps its unit and changes it at 10 kWh", () => {
  expect(energy(0)).toBe("0 Wh");
  expect(energy(9999)).toBe("9,999 Wh");
  expect(energy(-12_340)).toBe("−12.3 kWh");
});

test("power is written without its sign: the sentence says the direction", () => {
  expect(power(-999)).toBe("999 W");
  expect(power(1240)).toBe("1.2 kW");
});

test("prices show a third decimal only where it counts", () => {
  expect(price(4120)).toBe("4.12");
  expect(price(4125)).toBe("4.125");
});

test("money never shows a small amount as nothing", () => {
  expect(money(1_878_000, "CHF")).toBe("CHF 1.88");
  expect(money(1200, "CHF")).toBe("CHF 0.0012");
  expect(money(-412_000, "CHF")).toBe("−CHF 0.41");
  expect(exactMoney(-412_000, "CHF")).toBe("−CHF 0.412000");
});

test("money whose direction matters has its sign", () => {
  expect(signedMoney(412_000, "CHF")).toBe("+CHF 0.41");
  expect(signedMoney(-412_000, "CHF")).toBe("−CHF 0.41");
  expect(signedMoney(0, "CHF")).toBe("CHF 0.00");
});

test("a large figure stands apart from its unit", () => {
  expect(splitUnit("+CHF 1.88")).toEqual({ figure: "+1.88", unit: "CHF" });
  expect(splitUnit("1.2 kW")).toEqual({ figure: "1.2", unit: "kW" });
  expect(splitUnit("–")).toEqual({ figure: "–", unit: "" });
});

test("an interval has both ends, on the site's clock", () => {
  const zurich = { timezone: "Europe/Zurich", sun_offset_s: 0 };
  const quarter = ["2026-06-01T10:00:00Z", "2026-06-01T10:15:00Z"] as const;
  expect(interval(...quarter, zurich)).toBe("12:00–12:15");
  expect(interval(...quarter, { ...zurich, sun_offset_s: -3600 })).toBe("11:00–11:15");
});

test("the countdown stops at zero", () => {
  const now = new Date("2026-06-01T10:00:00Z");
  expect(countdown("2026-06-01T10:01:05Z", now)).toBe("01:05");
  expect(countdown("2026-06-01T09:00:00Z", now)).toBe("00:00");
});
