// What the chain pages ask the hub, which asks its node of the chain.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { api, unwrap } from "../../api/client";
import type { components } from "../../api/schema";

export type Head = components["schemas"]["ChainHead"];
export type Program = components["schemas"]["ChainProgram"];
export type Account = components["schemas"]["ChainAccount"];
export type TransactionRow = components["schemas"]["TransactionRow"];
export type Transaction = components["schemas"]["TransactionDetail"];
export type Instruction = components["schemas"]["TransactionInstruction"];

const HEAD_REFETCH_MS = 5_000;
const PAGE_SIZE = 25;

const BASE58 = "[1-9A-HJ-NP-Za-km-z]";
export const ADDRESS = new RegExp(`^${BASE58}{32,44}$`);
export const SIGNATURE = new RegExp(`^${BASE58}{64,88}$`);

export function useHead() {
  return useQuery({
    queryKey: ["chain", "head"],
    queryFn: () => unwrap(api.GET("/api/v1/chain/head")),
    refetchInterval: HEAD_REFETCH_MS,
  });
}

export function usePrograms() {
  return useQuery({
    queryKey: ["chain", "programs"],
    queryFn: () => unwrap(api.GET("/api/v1/chain/programs")),
    staleTime: 60_000,
  });
}

export function useAccount(address: string) {
  return useQuery({
    queryKey: ["chain", "account", address],
    queryFn: () => unwrap(api.GET("/api/v1/chain/accounts/{address}", { params: { path: { address } } })),
  });
}

/** Newest first, page by page; without an address the newest of our programs, one page. */
export function useTransactions(address: string | null) {
  return useInfiniteQuery({
    queryKey: ["chain", "transactions", address],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam: before }) =>
      unwrap(
        api.GET("/api/v1/chain/transactions", {
          params: {
            query: {
              limit: PAGE_SIZE,
              ...(address === null ? {} : { address }),
              ...(before === null ? {} : { before }),
            },
          },
        }),
      ),
    getNextPageParam: (page) => page.next_before,
  });
}

export function useTransaction(signature: string) {
  return useQuery({
    queryKey: ["chain", "transaction", signature],
    queryFn: () =>
      unwrap(api.GET("/api/v1/chain/transactions/{signature}", { params: { path: { signature } } })),
  });
}
