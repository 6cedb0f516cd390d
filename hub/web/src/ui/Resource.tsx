// Shows what was asked from the hub once it is there: a skeleton while it loads, a warning when it is stale, an error when it
// failed. Every page and every part of a page that loads by itself goes through here.
import type { ReactNode } from "react";
import { type Site, useSite } from "../lib/site";
import { LoadError } from "./LoadError";
import { StaleNotice, type StaleQuery } from "./StaleNotice";
import ui from "./ui.module.css";

type Query = StaleQuery & { error: unknown; refetch: () => Promise<unknown> };
type Queries = Record<string, Query>;
type Data<Q extends Queries> = { [Name in keyof Q]: Exclude<Q[Name]["data"], undefined> };

type Props<Q extends Queries> = {
  /** What loads, in words for a screen reader: "your trades". */
  name: string;
  queries: Q;
  /** Queries whose data the children take from elsewhere: waited for, and never called stale. */
  requires?: readonly Query[];
  /** Keeps the place of what loads. */
  skeleton: ReactNode;
  /** Stands for the whole error, where a part of a page has a shorter one. */
  failed?: ReactNode;
  /** `inside`: the children put the warning, their second argument, where it belongs. */
  staleNotice?: "above" | "inside";
  children: (data: Data<Q>, staleNotice: ReactNode) => ReactNode;
};

export function Resource<Q extends Queries>(props: Props<Q>) {
  const { name, queries, requires = [], skeleton, failed, staleNotice = "above", children } = props;
  const own = Object.values(queries);
  const all = [...own, ...requires];
  const failure = all.find((query) => query.isError && query.data === undefined);
  if (failure) {
    const retry = () => Promise.all(all.map((query) => query.refetch()));
    return failed ?? <LoadError error={failure.error} retry={retry} />;
  }
  if (all.some((query) => query.data === undefined)) {
    return (
      <div className={ui.stack} aria-busy="true">
        <span className="pw-visually-hidden">Loading {name}</span>
        {skeleton}
      </div>
    );
  }
  const data = Object.fromEntries(
    Object.entries(queries).map(([key, query]) => [key, query.data]),
  ) as Data<Q>;
  const notice = <StaleNotice queries={own} />;
  return (
    <>
      {staleNotice === "above" ? notice : null}
      {children(data, notice)}
    </>
  );
}

type PageProps<Q extends Queries> = Omit<Props<Q>, "requires" | "failed" | "children"> & {
  children: (data: Data<Q>, site: Site, staleNotice: ReactNode) => ReactNode;
};

/** A page whose figures need the site's clock and currency. */
export function ResourcePage<Q extends Queries>({ children, ...props }: PageProps<Q>) {
  const site = useSite();
  return (
    <Resource {...props} requires={[site]}>
      {(data, notice) => (site.data ? children(data, site.data, notice) : null)}
    </Resource>
  );
}
