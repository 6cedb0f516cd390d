// The pages and their addresses.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { Frame } from "./frame/Frame";
import { NoSuchPage } from "./frame/NoSuchPage";
import { Broken } from "./ui/states";

const root = createRootRoute({ component: Frame, notFoundComponent: NoSuchPage });

const today = createRoute({
  getParentRoute: () => root,
  path: "/",
  component: lazyRouteComponent(() => import("./features/today/Today"), "Today"),
});

const trades = createRoute({
  getParentRoute: () => root,
  path: "/trades",
  component: lazyRouteComponent(() => import("./features/trades/Trades"), "Trades"),
});

const trade = createRoute({
  getParentRoute: () => root,
  path: "/trades/$tradeId",
  component: lazyRouteComponent(() => import("./features/trades/TradeDetail"), "TradeDetail"),
});

const proofStart = createRoute({
  getParentRoute: () => root,
  path: "/proof",
  component: lazyRouteComponent(() => import("./features/proof/ProofStart"), "ProofStart"),
});

const proof = createRoute({
  getParentRoute: () => root,
  path: "/proof/$readingId",
  validateSearch: (search): { interval?: string } =>
    typeof search.interval === "string" ? { interval: search.interval } : {},
  component: lazyRouteComponent(() => import("./features/proof/Proof"), "Proof"),
});

const chain = createRoute({
  getParentRoute: () => root,
  path: "/chain",
  component: lazyRouteComponent(() => import("./features/chain/Chain"), "Chain"),
});

const chainAccount = createRoute({
  getParentRoute: () => root,
  path: "/chain/$address",
  component: lazyRouteComponent(() => import("./features/chain/ChainAccount"), "ChainAccount"),
});

const chainTransaction = createRoute({
  getParentRoute: () => root,
  path: "/chain/tx/$signature",
  component: lazyRouteComponent(() => import("./features/chain/ChainTransaction"), "ChainTransaction"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    today,
    trades,
    trade,
    proofStart,
    proof,
    chain,
    chainAccount,
    chainTransaction,
  ]),
  defaultPreload: "intent",
  defaultErrorComponent: Broken,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
