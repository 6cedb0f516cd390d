// A word over figures that could not be asked for again: since when they are as they stand.
import { time } from "../lib/format";
import { onHubClock } from "../lib/serverClock";
import { useSite } from "../lib/site";
import { StaleNote } from "./states";

type Asked = { isError: boolean; data: unknown; dataUpdatedAt: number };

/** Says nothing while every query's newest answer is a good one. */
export function StaleNotice({ of }: { of: readonly Asked[] }) {
  const { data: site } = useSite();
  const old = of.filter((one) => one.isError && one.data !== undefined);
  if (old.length === 0 || !site) return null;
  const oldest = onHubClock(Math.min(...old.map((one) => one.dataUpdatedAt)));
  return (
    <StaleNote>
      The hub does not answer: what stands here is as of {time(oldest, site)}. It is asked for again by
      itself.
    </StaleNote>
  );
}
