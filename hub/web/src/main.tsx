// Starts the app: theme, queries, session, routes.
import "@mantine/core/styles.css";
import "./theme/tokens.css";
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Problem } from "./api/problem";
import { SessionProvider, useSession } from "./auth/session";
import { SignInPage } from "./features/signin/SignInPage";
import { SessionUnknown } from "./frame/SessionUnknown";
import { router } from "./router";
import { resolver, theme } from "./theme/theme";

/** How often what failed is asked for again by itself. */
const AGAIN_MS = 15_000;

const passing = (error: unknown) => !(error instanceof Problem && error.status < 500);

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (failures, error) => failures < 2 && passing(error),
      refetchInterval: ({ state }) => (state.status === "error" && passing(state.error) ? AGAIN_MS : false),
    },
  },
});

function App() {
  const { state, failure, restore } = useSession();
  if (state === "restoring") return <p className="pw-visually-hidden">Loading</p>;
  if (state === "silent") return <SessionUnknown failure={failure} retry={restore} />;
  if (state === "out") return <SignInPage />;
  return <RouterProvider router={router} />;
}

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} cssVariablesResolver={resolver} defaultColorScheme="auto">
        <QueryClientProvider client={queries}>
          <SessionProvider>
            <App />
          </SessionProvider>
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}
