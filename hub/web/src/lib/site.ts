// The site: its name, clock, tariffs, currency and the running interval; refreshed every half minute.
import { useQuery } from "@tanstack/react-query";
import { api, unwrap } from "../api/client";
import type { components } from "../api/schema";
import { syncClock } from "./serverClock";

export type Site = components["schemas"]["Site"];

/** Rounds the offset of the site's clock to whole intervals, so that an interval's ends stay on its grid. */
export function roundToIntervals(offsetS: number, intervalS: number): number {
  return Math.round(offsetS / intervalS) * intervalS;
}

async function readSite(): Promise<Site> {
  const site = await unwrap(api.GET("/api/v1/system/site"));
  syncClock(site.now);
  return { ...site, sun_offset_s: roundToIntervals(site.sun_offset_s, site.interval_s) };
}

export function useSite() {
  return useQuery({
    queryKey: ["site"],
    queryFn: readSite,
    staleTime: 30_000,
    refetchInterval: 30_000,
  });
}
