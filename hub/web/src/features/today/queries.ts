// What the Today page asks the hub.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { components } from "../../api/schema";
import { learnTime } from "../../lib/serverClock";

export type Today = components["schemas"]["Today"];
export type DayInterval = components["schemas"]["ParticipantInterval"];
export type Happened = components["schemas"]["Happened"];
type BillLinePage = components["schemas"]["BillLinePage"];
export type BillLine = components["schemas"]["BillLine"];

const PAGE = 200;
/** A day of intervals of a minute has eight. */
const MOST_PAGES = 10;

async function readToday(): Promise<Today> {
  const today = await unwrap(api.GET("/api/v1/today"));
  learnTime(today.now);
  return today;
}

/** Refreshed by live events; the interval is for when the stream is down. */
export function useToday(enabled: boolean) {
  return useQuery({ queryKey: ["today"], queryFn: readToday, refetchInterval: 30_000, enabled });
}

/** Every line of a stretch of time, however many pages that takes, by its interval's start. */
export async function readBillLines(from: string, to: string): Promise<Map<string, BillLine>> {
  const lines = new Map<string, BillLine>();
  for (let cursor: string | null = null, page = 0; page < MOST_PAGES; page += 1) {
    const query = { from, to, limit: PAGE, ...(cursor === null ? {} : { cursor }) };
    const answer: BillLinePage = await unwrap(api.GET("/api/v1/bill-lines", { params: { query } }));
    for (const line of answer.items) lines.set(line.start_at, line);
    cursor = answer.next_cursor;
    if (cursor === null) break;
  }
  return lines;
}

/** The readings that each of these intervals rests on, by the interval's start. */
export function useBillLines(from: string | undefined, to: string | undefined) {
  return useQuery({
    queryKey: ["bill-lines", from, to],
    enabled: from !== undefined && to !== undefined,
    placeholderData: keepPreviousData,
    queryFn: () => readBillLines(from ?? "", to ?? ""),
  });
}
