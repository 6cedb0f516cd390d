// What the trades pages ask the hub: the list page by page, and one trade with everything that happened to it.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { components } from "../../api/schema";

export type Trade = components["schemas"]["Trade"];
export type TradeDetail = components["schemas"]["TradeDetail"];

const PAGE = 50;

export function useTrades(enabled: boolean) {
  return useInfiniteQuery({
    queryKey: ["trades"],
    enabled,
    initialPageParam: null as string | null,
    queryFn: ({ pageParam }) =>
      unwrap(
        api.GET("/api/v1/trades", {
          params: { query: pageParam === null ? { limit: PAGE } : { limit: PAGE, cursor: pageParam } },
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
