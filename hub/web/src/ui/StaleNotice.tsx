// Says of figures that could not be refreshed how old they are.
import { time } from "../lib/format";
import { toHubTime } from "../lib/serverClock";
import { useSite } from "../lib/site";
import { Warning } from "./Warning";

export type StaleQuery = { isError: boolean; data: unknown; dataUpdatedAt: number };

/** Shows nothing while the newest answer to every query is a good one. */
export function StaleNotice({ queries }: { queries: readonly StaleQuery[] }) {
  const { data: site } = useSite();
  const stale = queries.filter((query) => query.isError && query.data !== undefined);
  if (stale.length === 0 || !site) return null;
  const oldest = toHubTime(Math.min(...stale.map((query) => query.dataUpdatedAt)));
  return (
    <Warning>
      The hub does not answer: what stands here is as of {time(oldest, site)}. It is asked for again by
      itself.
    </Warning>
  );
}
