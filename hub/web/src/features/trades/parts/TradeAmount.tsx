// How the amount of a trade comes about: energy at its price, and the charges that a buyer pays.
import { energy, price } from "../../../lib/format";
import type { Site } from "../../../lib/site";
import { type AmountRow, AmountTable } from "../../../ui/AmountTable";
import { Card } from "../../../ui/Card";
import ui from "../../../ui/ui.module.css";
import { signedMicros } from "../labels";
import type { TradeDetail } from "../queries";

/** Money that is still on its way is not called paid or got. */
function totalLabel({ side, state }: TradeDetail): string {
  if (state === "final") return side === "buy" ? "You paid" : "You got";
  return side === "buy" ? "You pay, once it is final" : "You get, once it is final";
}

function amountRows(trade: TradeDetail): AmountRow[] {
  const timesPrice = (name: string, mills: number) =>
    `${name}, ${energy(trade.wh)} × ${price(mills)} per kWh`;
  const charge = (name: string, mills: number): AmountRow => ({
    name: timesPrice(name, mills),
    micros: -trade.wh * mills,
  });
  const isBuy = trade.side === "buy";
  const charges = [
    charge("Wheeling", trade.wheeling_mills),
    charge("Platform", trade.platform_mills),
    charge("Loss", trade.loss_mills),
  ];
  return [
    {
      name: timesPrice("Energy", trade.price_mills),
      micros: isBuy ? -trade.energy_micros : trade.energy_micros,
    },
    ...(isBuy ? charges : []),
    { name: totalLabel(trade), micros: signedMicros(trade), sum: true },
  ];
}

export function TradeAmount({ trade, site }: { trade: TradeDetail; site: Site }) {
  return (
    <Card title="How the amount comes about">
      <AmountTable rows={amountRows(trade)} currency={site.currency} />
      {trade.side === "buy" ? null : <p className={ui.quiet}>The buyer paid the charges on top.</p>}
    </Card>
  );
}
