// One trade: its path with times, how the amount comes about, its settlement line, transactions and proofs.
import { Link, useParams } from "@tanstack/react-router";
import { dayAndInterval, energy, exactMoney, interval, money, price, time } from "../../lib/format";
import { type Site, useSite } from "../../lib/site";
import { useTitle } from "../../lib/useTitle";
import { Card } from "../../ui/Card";
import { ProofLink } from "../../ui/ProofLink";
import { StaleNotice } from "../../ui/StaleNotice";
import { Bone, Failed } from "../../ui/states";
import { kindWord, STEP_MEANS, sideWord, signedMicros } from "./labels";
import { type TradeDetail as Detail, useTrade } from "./queries";
import styles from "./styles.module.css";

type Props = { trade: Detail; site: Site };

function Path({ trade, site }: Props) {
  return (
    <Card title="Where it stands">
      <ol className={styles.steps}>
        {trade.steps.map(({ name, at }) => (
          <li key={name} data-done={at !== null} aria-current={trade.state === name ? "step" : undefined}>
            <span className={styles.stepDot} aria-hidden="true" />
            <b>{name}</b>
            <span>{at ? time(at, site) : "still ahead"}</span>
            <span className={styles.quiet}>{STEP_MEANS[name]}</span>
          </li>
        ))}
      </ol>
    </Card>
  );
}

/** Money that is still on its way is not called had. */
function total({ side, state }: Detail): string {
  if (state === "final") return side === "buy" ? "You paid" : "You got";
  return side === "buy" ? "You pay, once it is final" : "You get, once it is final";
}

function Amount({ trade, site }: Props) {
  const buys = trade.side === "buy";
  const charge = (name: string, mills: number): [string, number] => [
    `${name}, ${energy(trade.wh)} × ${price(mills)} per kWh`,
    -trade.wh * mills,
  ];
  const rows: [string, number][] = [
    [
      `Energy, ${energy(trade.wh)} × ${price(trade.price_mills)} per kWh`,
      buys ? -trade.energy_micros : trade.energy_micros,
    ],
    ...(buys
      ? [
          charge("Wheeling", trade.wheeling_mills),
          charge("Platform", trade.platform_mills),
          charge("Loss", trade.loss_mills),
        ]
      : []),
  ];
  return (
    <Card title="How the amount comes about">
      <table className={styles.amounts}>
        <tbody>
          {rows.map(([name, micros]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{exactMoney(micros, site.currency)}</td>
            </tr>
          ))}
          <tr>
            <th scope="row">{total(trade)}</th>
            <td>{exactMoney(signedMicros(trade), site.currency)}</td>
          </tr>
        </tbody>
      </table>
      {buys ? null : <p className={styles.quiet}>The buyer paid the charges on top.</p>}
    </Card>
  );
}

function Line({ trade, site }: Props) {
  const line = trade.line;
  return (
    <Card title="Settlement line" aside={line ? `${line.line_index + 1} of ${line.line_count}` : undefined}>
      {line ? (
        <dl className={styles.facts}>
          <dt>All your trades of the interval</dt>
          <dd>
            sold {energy(line.sold_wh)}, bought {energy(line.bought_wh)}
          </dd>
          <dt>Credit and debit</dt>
          <dd>
            {exactMoney(line.credit_micros, site.currency)} and {exactMoney(line.debit_micros, site.currency)}
          </dd>
          <dt>Wallet</dt>
          <dd className={styles.mono}>{line.wallet}</dd>
          <dt>Root of all lines</dt>
          <dd className={styles.mono}>{line.lines_root}</dd>
        </dl>
      ) : (
        <p className={styles.quiet}>The settlement is planned a moment after the market has cleared.</p>
      )}
    </Card>
  );
}

function Proofs({ trade }: Pick<Props, "trade">) {
  return (
    <Card title="The meters behind it">
      <ul className={styles.plain}>
        {trade.meters.map((meter) => (
          <li key={meter.meter_id}>
            <b>{meter.meter_id}</b>
            <span>
              {energy(meter.import_wh)} in, {energy(meter.export_wh)} out, {meter.quality}
            </span>
            <span className={styles.proofs}>
              <ProofLink
                readingId={meter.start_reading_id}
                interval={trade.start_at}
                of={`${meter.meter_id} at the start`}
              >
                Proof of the start
              </ProofLink>
              <ProofLink
                readingId={meter.end_reading_id}
                interval={trade.start_at}
                of={`${meter.meter_id} at the end`}
              >
                Proof of the end
              </ProofLink>
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Transactions({ trade, site }: Props) {
  return (
    <Card title="Transactions on the chain">
      {trade.transactions.length === 0 ? (
        <p className={styles.quiet}>None yet: they appear here as they are sent.</p>
      ) : (
        <ul className={`${styles.plain} ${styles.transactions}`}>
          {trade.transactions.map((one) => (
            <li key={one.signature}>
              <b>{one.kind}</b>
              <span>
                {one.state}
                {one.slot === null ? "" : `, slot ${one.slot.toLocaleString("en-GB")}`}
                {one.finalized_at ? `, ${time(one.finalized_at, site)}` : ""}
                {one.error ? `: ${one.error}` : ""}
              </span>
              <Link
                to="/chain/tx/$signature"
                params={{ signature: one.signature }}
                className={`${styles.mono} ${styles.chainLink}`}
              >
                {one.signature}
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Loaded({ trade, site }: Props) {
  const verb = trade.side === "sell" ? "sold" : "bought";
  const where = trade.side === "sell" ? "to" : "from";
  return (
    <>
      <header className={styles.head}>
        <p className={styles.quiet}>
          <Link to="/trades">Trades</Link> / {dayAndInterval(trade.start_at, trade.end_at, site)}
        </p>
        <h1>
          You {verb} {energy(trade.wh)} {where} your neighbours for {money(trade.micros, site.currency)}
        </h1>
        <p>
          {sideWord(trade)} {kindWord(trade)}, for the interval {interval(trade.start_at, trade.end_at, site)}
          .
        </p>
      </header>
      <div className={styles.detail}>
        <Path trade={trade} site={site} />
        <Amount trade={trade} site={site} />
        <Proofs trade={trade} />
        <Line trade={trade} site={site} />
        <Transactions trade={trade} site={site} />
      </div>
    </>
  );
}

export function TradePage() {
  useTitle("Trade");
  const { tradeId } = useParams({ from: "/trades/$tradeId" });
  const sites = useSite();
  const trade = useTrade(tradeId);
  const failed = [trade, sites].find((one) => one.isError && !one.data);
  if (failed)
    return <Failed error={failed.error} retry={() => Promise.all([trade.refetch(), sites.refetch()])} />;
  const site = sites.data;
  if (!trade.data || !site) {
    return (
      <div className={styles.loading} aria-busy="true">
        <span className="pw-visually-hidden">Loading the trade</span>
        <Bone width="60%" height={36} />
        <Bone height={120} />
        <Bone height={200} />
      </div>
    );
  }
  return (
    <>
      <StaleNotice of={[trade]} />
      <Loaded trade={trade.data} site={site} />
    </>
  );
}
