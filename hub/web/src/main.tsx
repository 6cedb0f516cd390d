// Starts the app: finds out whether somebody is signed in, and loads what signed-in people see only then.
import "./theme/tokens.css";
import "./theme/base.css";
import "./theme/colorScheme";
import { lazy, StrictMode, Suspense } from "react";
import { createRoot } from "react-dom/client";
import { SessionProvider, useSession } from "./auth/session";
import { SignInPage } from "./features/signin/SignInPage";
import { SessionUnknown } from "./frame/SessionUnknown";
import { ErrorBoundary } from "./ui/ErrorBoundary";

const importApp = () => import("./App");
const App = lazy(importApp);

const loading = <p className="pw-visually-hidden">Loading</p>;

function Start() {
  const { state, failure, restore } = useSession();
  if (state === "restoring") return loading;
  if (state === "unknown") return <SessionUnknown failure={failure} retry={restore} />;
  if (state === "signed-out") return <SignInPage />;
  return (
    <Suspense fallback={loading}>
      <App />
    </Suspense>
  );
}

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <ErrorBoundary>
        <SessionProvider onConfirmed={importApp}>
          <Start />
        </SessionProvider>
      </ErrorBoundary>
    </StrictMode>,
  );
}
