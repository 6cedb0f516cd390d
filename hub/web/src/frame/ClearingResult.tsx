// Tells screen readers the result of a clearing; nothing else is announced by itself.
import { energy, interval, price } from "../lib/format";
import { useSite } from "../lib/site";
import { useLive } from "../live/LiveProvider";

type Clearing = { start_at: string; end_at: string; price_mills: number | null; volume_wh: number };

export function ClearingResult() {
  const { last } = useLive();
  const { data: site } = useSite();
  const clearing = last?.topic === "clearing" ? (last.data as Clearing) : null;
  return (
    <p className="pw-visually-hidden" aria-live="polite">
      {clearing && site
        ? `${interval(clearing.start_at, clearing.end_at, site)}: ${
            clearing.price_mills === null
              ? "nothing changed hands"
              : `${energy(clearing.volume_wh)} at ${site.currency} ${price(clearing.price_mills)} per kWh`
          }`
        : ""}
    </p>
  );
}
