// Announces the result of the last clearing to screen readers; nothing else is announced by itself.
import { energy, interval, price } from "../lib/format";
import { useSite } from "../lib/site";
import { useLive } from "../live/LiveProvider";

export function ClearingResult() {
  const { clearing } = useLive();
  const { data: site } = useSite();
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
