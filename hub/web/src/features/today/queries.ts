// What the Today page asks the hub.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { components } from "../../api/schema";
import { syncClock } from "../../lib/serverClock";

export type Today = components["schemas"]["Today"];
export type DayInterval = components["schemas"]["ParticipantInterval"];
export type RecentEvent = components["schemas"]["Happened"];
export type BillLine = components["schemas"]["BillLine"];
type BillLinePage = components["schemas"]["BillLinePage"];

const PAGE_SIZE = 200;
/** A day of intervals of a minute has eight. */
const MAX_PAGES = 10;

/** Live events refresh it; the interval is for when the stream is down. */
const REFETCH_MS = 30_000;

async function readToday(): Promise<Today> {
  const today = await unwrap(api.GET("/api/v1/today"));
  syncClock(today.now);
  return today;
}

export function useToday(enabled: boolean) {
  return useQuery({ queryKey: ["today"], queryFn: readToday, refetchInterval: REFETCH_MS, enabled });
}

/** Reads every bill line from one moment to another, page by page; keyed by the start of its interval. */
export async function readBillLines(from: string, to: string): Promise<Map<string, BillLine>> {
  const lines = new Map<string, BillLine>();
  for (let cursor: string | null = null, page = 0; page < MAX_PAGES; page += 1) {
    const query = { from, to, limit: PAGE_SIZE, ...(cursor === null ? {} : { cursor }) };
    const answer: BillLinePage = await unwrap(api.GET("/api/v1/bill-lines", { params: { query } }));
    for (const line of answer.items) lines.set(line.start_at, line);
    cursor = answer.next_cursor;
    if (cursor === null) break;
  }
  return lines;
}

/** The bill lines of a range of time, with the readings behind each; keyed by the start of its interval. */
export function useBillLines(from: string | undefined, to: string | undefined) {
  return useQuery({
    queryKey: ["bill-lines", from, to],
    enabled: from !== undefined && to !== undefined,
    placeholderData: keepPreviousData,
    queryFn: () => readBillLines(from ?? "", to ?? ""),
  });
}
