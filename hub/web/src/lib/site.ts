// The site: its name, clock, tariffs, currency and the running interval; asked once and again every half minute.
import { useQuery } from "@tanstack/react-query";
import { api, unwrap } from "../api/client";
import type { components } from "../api/schema";
import { learnTime } from "./serverClock";

export type Site = components["schemas"]["Site"];

async function readSite(): Promise<Site> {
  const site = await unwrap(api.GET("/api/v1/system/site"));
  learnTime(site.now);
  return site;
}

export function useSite() {
  return useQuery({
    queryKey: ["site"],
    queryFn: readSite,
    staleTime: 30_000,
    refetchInterval: 30_000,
  });
}
