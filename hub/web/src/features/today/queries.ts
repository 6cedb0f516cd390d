// What the Today page asks the hub.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { components } from "../../api/schema";
import { learnTime } from "../../lib/serverClock";

export type Today = components["schemas"]["Today"];
export type DayInterval = components["schemas"]["ParticipantInterval"];
export type Happened = components["schemas"]["Happened"];
export type BillLine = components["schemas"]["BillLine"];

async function readToday(): Promise<Today> {
  const today = await unwrap(api.GET("/api/v1/today"));
  learnTime(today.now);
  return today;
}

/** Refreshed by live events; the interval is for when the stream is down. */
export function useToday(enabled: boolean) {
  return useQuery({ queryKey: ["today"], queryFn: readToday, refetchInterval: 30_000, enabled });
}

/** The readings that each of these intervals rests on, by the interval's start. */
export function useBillLines(from: string | undefined, to: string | undefined) {
  return useQuery({
    queryKey: ["bill-lines", from, to],
    enabled: from !== undefined && to !== undefined,
    placeholderData: keepPreviousData,
    queryFn: async () => {
      const query = { from: from ?? "", to: to ?? "", limit: 200 };
      const page = await unwrap(api.GET("/api/v1/bill-lines", { params: { query } }));
      return new Map(page.items.map((line) => [line.start_at, line]));
    },
  });
}
