// What the trades pages ask the hub: the list page by page, and one trade with everything that happened to it.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { components } from "../../api/schema";

export type Trade = components["schemas"]["Trade"];
export type TradeDetail = components["schemas"]["TradeDetail"];

const PAGE_SIZE = 50;

/** Newest first. */
export function useTrades() {
  return useInfiniteQuery({
    queryKey: ["trades"],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam: cursor }) =>
      unwrap(
        api.GET("/api/v1/trades", {
          params: { query: { limit: PAGE_SIZE, ...(cursor === null ? {} : { cursor }) } },
        }),
      ),
    getNextPageParam: (page) => page.next_cursor,
  });
}

export function useTrade(tradeId: string) {
  return useQuery({
    queryKey: ["trade", tradeId],
    queryFn: () => unwrap(api.GET("/api/v1/trades/{trade_id}", { params: { path: { trade_id: tradeId } } })),
  });
}
