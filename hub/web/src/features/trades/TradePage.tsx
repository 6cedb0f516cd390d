// One trade: its path with times, how the amount comes about, its settlement line, transactions and proofs.
import { Link, useParams } from "@tanstack/react-router";
import { dayAndInterval, energy, interval, money } from "../../lib/format";
import type { Site } from "../../lib/site";
import { useTitle } from "../../lib/useTitle";
import { PageHeader } from "../../ui/PageHeader";
import { ResourcePage } from "../../ui/Resource";
import { Skeleton } from "../../ui/Skeleton";
import { kindLabel, sideLabel } from "./labels";
import { MeterProofs } from "./parts/MeterProofs";
import { SettlementLine } from "./parts/SettlementLine";
import { TradeAmount } from "./parts/TradeAmount";
import { TradeSteps } from "./parts/TradeSteps";
import { Transactions } from "./parts/Transactions";
import { type TradeDetail, useTrade } from "./queries";
import styles from "./styles.module.css";

const skeleton = (
  <>
    <Skeleton width="60%" height={36} />
    <Skeleton height={120} />
    <Skeleton height={200} />
  </>
);

function Trade({ trade, site }: { trade: TradeDetail; site: Site }) {
  const verb = trade.side === "sell" ? "sold" : "bought";
  const preposition = trade.side === "sell" ? "to" : "from";
  return (
    <>
      <PageHeader
        breadcrumb={
          <>
            <Link to="/trades">Trades</Link> / {dayAndInterval(trade.start_at, trade.end_at, site)}
          </>
        }
        title={`You ${verb} ${energy(trade.wh)} ${preposition} your neighbours for ${money(trade.micros, site.currency)}`}
      >
        <p>
          {sideLabel(trade)} {kindLabel(trade)}, for the interval{" "}
          {interval(trade.start_at, trade.end_at, site)}.
        </p>
      </PageHeader>
      <div className={styles.detail}>
        <TradeSteps trade={trade} site={site} />
        <TradeAmount trade={trade} site={site} />
        <MeterProofs trade={trade} />
        <SettlementLine trade={trade} site={site} />
        <Transactions trade={trade} site={site} />
      </div>
    </>
  );
}

export function TradePage() {
  useTitle("Trade");
  const { tradeId } = useParams({ from: "/trades/$tradeId" });
  return (
    <ResourcePage name="the trade" queries={{ trade: useTrade(tradeId) }} skeleton={skeleton}>
      {({ trade }, site) => <Trade trade={trade} site={site} />}
    </ResourcePage>
  );
}
