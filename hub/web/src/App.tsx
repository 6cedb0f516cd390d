// What signed-in people see: the pages, and the answers of the hub that they share until the session ends.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { useState } from "react";
import { Problem } from "./api/problem";
import { router } from "./router";

const RETRY_MS = 15_000;

/** Whether the same request may succeed later: the hub did not refuse it. */
const isTransient = (error: unknown) => !(error instanceof Problem && error.status < 500);

function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (failures, error) => failures < 2 && isTransient(error),
        refetchInterval: ({ state }) =>
          state.status === "error" && isTransient(state.error) ? RETRY_MS : false,
      },
    },
  });
}

/** Holds the hub's answers as long as it is mounted: nothing of one person is left for the next. */
export default function App() {
  const [queryClient] = useState(createQueryClient);
  return (
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  );
}
