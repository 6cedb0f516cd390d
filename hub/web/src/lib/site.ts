// The site: its name, time zone, tariffs, currency and the running interval; asked once and again at each boundary.
import { useQuery } from "@tanstack/react-query";
import { api, unwrap } from "../api/client";
import type { components } from "../api/schema";

export type Site = components["schemas"]["Site"];

export function useSite() {
  return useQuery({
    queryKey: ["site"],
    queryFn: () => unwrap(api.GET("/api/v1/system/site")),
    staleTime: 30_000,
    refetchInterval: 30_000,
  });
}
