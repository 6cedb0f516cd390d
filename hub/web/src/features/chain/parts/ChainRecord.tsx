// The page of one account or of one transaction: its path in the app, its title, and what it holds.
import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Site } from "../../../lib/site";
import { PageHeader } from "../../../ui/PageHeader";
import { ResourcePage } from "../../../ui/Resource";
import { Skeleton } from "../../../ui/Skeleton";
import ui from "../../../ui/ui.module.css";

type Props<T> = {
  kind: "account" | "transaction";
  query: UseQueryResult<T>;
  title: (record: T) => string;
  children: (record: T, site: Site) => ReactNode;
};

const skeleton = (
  <>
    <Skeleton width="40%" height={36} />
    <Skeleton height={280} />
  </>
);

export function ChainRecord<T>({ kind, query, title, children }: Props<T>) {
  return (
    <ResourcePage name={`the ${kind}`} queries={{ record: query }} skeleton={skeleton}>
      {({ record }, site) => (
        <>
          <PageHeader
            breadcrumb={
              <>
                <Link to="/chain">Chain</Link> / {kind}
              </>
            }
            title={title(record)}
          />
          <div className={ui.stack}>{children(record, site)}</div>
        </>
      )}
    </ResourcePage>
  );
}
