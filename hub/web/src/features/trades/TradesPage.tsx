// Trades: did it really happen? All trades, newest first, each with its state as a path.
import { Link } from "@tanstack/react-router";
import { useSession } from "../../auth/session";
import { useIsPhone } from "../../lib/useMediaQuery";
import { useTitle } from "../../lib/useTitle";
import { Card } from "../../ui/Card";
import { EmptyState } from "../../ui/EmptyState";
import { LoadMore } from "../../ui/LoadMore";
import { PageHeader } from "../../ui/PageHeader";
import { ResourcePage } from "../../ui/Resource";
import { Skeleton } from "../../ui/Skeleton";
import { TradeCards } from "./parts/TradeCards";
import { TradeTable } from "./parts/TradeTable";
import { useTrades } from "./queries";

const skeleton = [0, 1, 2, 3, 4, 5].map((row) => <Skeleton key={row} height={48} />);

function TradeList() {
  const isPhone = useIsPhone();
  const query = useTrades();
  return (
    <ResourcePage name="your trades" queries={{ list: query }} skeleton={skeleton}>
      {({ list }, site) => {
        const trades = list.pages.flatMap((page) => page.items);
        if (trades.length === 0) {
          return (
            <EmptyState title="No trades yet">
              Trades appear here when you have traded with your neighbours. That needs an account with a
              mandate to settle and, to buy, money in it; without one, all your energy is with the utility.{" "}
              <Link to="/">See how your day is going</Link>.
            </EmptyState>
          );
        }
        return (
          <>
            {isPhone ? (
              <TradeCards trades={trades} site={site} />
            ) : (
              <Card>
                <TradeTable trades={trades} site={site} partial={query.hasNextPage} />
              </Card>
            )}
            <LoadMore query={query} label="Earlier trades" end="These are all your trades." />
          </>
        );
      }}
    </ResourcePage>
  );
}

export function TradesPage() {
  useTitle("Trades");
  const { user } = useSession();
  return (
    <>
      <PageHeader title="Did it really happen?">
        <p>
          Every trade goes from the market to the chain in five steps: cleared, planned, sent, confirmed,
          final. Prices are what you got or paid, charges included.
        </p>
      </PageHeader>
      {user?.participant_id ? (
        <TradeList />
      ) : (
        <EmptyState title="Your account does not trade">
          Trades belong to participants. You can <Link to="/proof">check any reading</Link>.
        </EmptyState>
      )}
    </>
  );
}
