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

export const router = createRouter({
  routeTree: root.addChildren([today, trades, trade, proofStart, proof]),
  defaultPreload: "intent",
  defaultErrorComponent: Broken,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
