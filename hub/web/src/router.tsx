// The pages and their addresses. A new page is features/<feature>/<Name>Page.tsx with a route here, and a link in
// frame/Frame.tsx where the navigation leads to it.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { Frame } from "./frame/Frame";
import { NotFoundPage } from "./frame/NotFoundPage";
import { PageCrash } from "./ui/ErrorState";

const root = createRootRoute({ component: Frame, notFoundComponent: NotFoundPage });

const today = createRoute({
  getParentRoute: () => root,
  path: "/",
  component: lazyRouteComponent(() => import("./features/today/TodayPage"), "TodayPage"),
});

const trades = createRoute({
  getParentRoute: () => root,
  path: "/trades",
  component: lazyRouteComponent(() => import("./features/trades/TradesPage"), "TradesPage"),
});

const trade = createRoute({
  getParentRoute: () => root,
  path: "/trades/$tradeId",
  component: lazyRouteComponent(() => import("./features/trades/TradePage"), "TradePage"),
});

const proofStart = createRoute({
  getParentRoute: () => root,
  path: "/proof",
  component: lazyRouteComponent(() => import("./features/proof/ProofStartPage"), "ProofStartPage"),
});

const proof = createRoute({
  getParentRoute: () => root,
  path: "/proof/$readingId",
  validateSearch: ({ interval, revision }): { interval?: string; revision?: number } => ({
    ...(typeof interval === "string" ? { interval } : {}),
    ...(Number.isSafeInteger(revision) && Number(revision) > 0 ? { revision: Number(revision) } : {}),
  }),
  component: lazyRouteComponent(() => import("./features/proof/ProofPage"), "ProofPage"),
});

const chain = createRoute({
  getParentRoute: () => root,
  path: "/chain",
  component: lazyRouteComponent(() => import("./features/chain/ChainPage"), "ChainPage"),
});

const chainAccount = createRoute({
  getParentRoute: () => root,
  path: "/chain/$address",
  component: lazyRouteComponent(() => import("./features/chain/AccountPage"), "AccountPage"),
});

const chainTransaction = createRoute({
  getParentRoute: () => root,
  path: "/chain/tx/$signature",
  component: lazyRouteComponent(() => import("./features/chain/TransactionPage"), "TransactionPage"),
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
  defaultErrorComponent: PageCrash,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
