// What the list of corrections asks the hub.
import { useInfiniteQuery } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { components } from "../../api/schema";

export type CorrectionNotice = components["schemas"]["CorrectionNotice"];
export type CorrectionLine = components["schemas"]["CorrectionLine"];
export type CorrectedMeter = components["schemas"]["CorrectedMeter"];
export type CorrectionCause = components["schemas"]["CorrectionCause"];

const PAGE_SIZE = 24;

/** The moment after one, for the end of a range that must hold it: the hub's times have milliseconds. */
const justAfter = (at: string) => new Date(Date.parse(at) + 1).toISOString();

/** The correction lines of a day's notice, in the order in which they were made. */
export function useCorrectionLines(notice: CorrectionNotice, enabled: boolean) {
  const { first_corrected_at: from, last_corrected_at: last } = notice;
  return useInfiniteQuery({
    queryKey: ["bill-corrections", from, last],
    enabled,
    initialPageParam: null as string | null,
    queryFn: ({ pageParam: cursor }) =>
      unwrap(
        api.GET("/api/v1/bill-corrections", {
          params: {
            query: { from, to: justAfter(last), limit: PAGE_SIZE, ...(cursor === null ? {} : { cursor }) },
          },
        }),
      ),
    getNextPageParam: (page) => page.next_cursor,
  });
}
