// The end of a list that loads page by page: a button for the next page, or a word that this is all.
import type { ReactNode } from "react";
import ui from "./ui.module.css";

type Query = { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };

type Props = { query: Query; label: string; end?: ReactNode };

export function LoadMore({ query, label, end = null }: Props) {
  if (!query.hasNextPage) return end ? <p className={ui.more}>{end}</p> : null;
  return (
    <p className={ui.more}>
      <button
        type="button"
        className={ui.button}
        onClick={() => query.fetchNextPage()}
        disabled={query.isFetchingNextPage}
      >
        {query.isFetchingNextPage ? "Loading" : label}
      </button>
    </p>
  );
}
