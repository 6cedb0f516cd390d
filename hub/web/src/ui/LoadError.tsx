// Takes the place of what could not be loaded: why in words, what to do, and a button to try again.
import { Problem } from "../api/problem";
import { ErrorState } from "./ErrorState";

function explain(error: unknown): { title: string; text: string } {
  if (error instanceof Problem) {
    if (error.status === 404) return { title: "This is not here", text: error.message };
    if (error.status === 403) return { title: "This is not yours to see", text: error.message };
    return { title: "The hub could not answer", text: `${error.message} If it lasts, tell the operator.` };
  }
  // fetch fails with a TypeError, a time limit with a DOMException
  if (error instanceof TypeError || error instanceof DOMException) {
    return {
      title: "The hub does not answer",
      text: "Check your connection. The page tries again by itself; nothing you did is lost.",
    };
  }
  return {
    title: "The hub's answer can not be read",
    text: `${error instanceof Error ? error.message : String(error)}. Tell the operator.`,
  };
}

export function LoadError({ error, retry }: { error: unknown; retry: () => unknown }) {
  return <ErrorState {...explain(error)} action="Try again" onAction={retry} />;
}
