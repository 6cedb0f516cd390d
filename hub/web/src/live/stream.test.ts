import { expect, test } from "vitest";
import { parseEvents, reconnectDelay } from "./stream";

test("events are read with id and topic; what is not complete waits", () => {
  const { events, rest } = parseEvents('id: 7\nevent: clearing\ndata: {"price_mills":4120}\n\nid: 8\neve');
  expect(events).toEqual([{ id: "7", topic: "clearing", data: { price_mills: 4120 } }]);
  expect(rest).toBe("id: 8\neve");
});

test("comments keep the line open and are no events", () => {
  expect(parseEvents(": still here\n\n").events).toEqual([]);
});

test("delays grow, stay bounded and differ between clients", () => {
  expect(reconnectDelay(0, () => 0)).toBe(250);
  expect(reconnectDelay(20, () => 1)).toBe(15_000);
});
