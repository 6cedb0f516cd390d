// Trades: did it really happen? All trades, newest first, each with its state as a path.

import { Link } from "@tanstack/react-router";
import { useSession } from "../../auth/session";
import { useSite } from "../../lib/site";
import { useIsPhone } from "../../lib/useMediaQuery";
import { useTitle } from "../../lib/useTitle";
import { buttonClass } from "../../ui/buttons";
import { Card } from "../../ui/Card";
import { StaleNotice } from "../../ui/StaleNotice";
import { Bone, Empty, Failed } from "../../ui/states";
import { TradeCards } from "./parts/TradeCards";
import { TradeTable } from "./parts/TradeTable";
import { useTrades } from "./queries";
import styles from "./styles.module.css";

function Head() {
  return (
    <header className={styles.head}>
      <h1>Did it really happen?</h1>
      <p>
        Every trade goes from the market to the chain in five steps: cleared, planned, sent, confirmed, final.
        Prices are what you got or paid, charges included.
      </p>
    </header>
  );
}

function Loading() {
  return (
    <div className={styles.loading} aria-busy="true">
      <span className="pw-visually-hidden">Loading your trades</span>
      {[0, 1, 2, 3, 4, 5].map((row) => (
        <Bone key={row} height={48} />
      ))}
    </div>
  );
}

function List() {
  const isPhone = useIsPhone();
  const sites = useSite();
  const trades = useTrades(true);
  const failed = [trades, sites].find((one) => one.isError && !one.data);
  if (failed)
    return <Failed error={failed.error} retry={() => Promise.all([trades.refetch(), sites.refetch()])} />;
  const site = sites.data;
  if (!trades.data || !site) return <Loading />;
  const all = trades.data.pages.flatMap((page) => page.items);
  if (all.length === 0) {
    return (
      <Empty title="No trades yet">
        Trades appear here when you have traded with your neighbours. That needs an account with a mandate to
        settle and, to buy, money in it; without one, all your energy is with the utility.{" "}
        <Link to="/">See how your day is going</Link>.
      </Empty>
    );
  }
  return (
    <>
      <StaleNotice of={[trades]} />
      {isPhone ? (
        <TradeCards trades={all} site={site} />
      ) : (
        <Card>
          <TradeTable trades={all} site={site} partial={trades.hasNextPage} />
        </Card>
      )}
      <p className={styles.more}>
        {trades.hasNextPage ? (
          <button
            type="button"
            className={buttonClass}
            onClick={() => trades.fetchNextPage()}
            disabled={trades.isFetchingNextPage}
          >
            {trades.isFetchingNextPage ? "Loading" : "Earlier trades"}
          </button>
        ) : (
          "These are all your trades."
        )}
      </p>
    </>
  );
}

export function TradesPage() {
  useTitle("Trades");
  const { user } = useSession();
  return (
    <>
      <Head />
      {user?.participant_id ? (
        <List />
      ) : (
        <Empty title="Your account does not trade">
          Trades belong to participants. You can <Link to="/proof">check any reading</Link>.
        </Empty>
      )}
    </>
  );
}
