// The floor of every page behind the sign-in: React with the router and the query client, and one empty page.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  RouterProvider,
} from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

const root = createRootRoute({ component: Outlet });
const page = createRoute({
  getParentRoute: () => root,
  path: "/",
  component: lazyRouteComponent(async () => ({ default: () => <p>Peerwatt</p> })),
});
const router = createRouter({ routeTree: root.addChildren([page]) });

createRoot(document.body).render(
  <StrictMode>
    <QueryClientProvider client={new QueryClient()}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
