// What the pages of one account and of one transaction share: the waiting, the failure, and the head once it is there.
import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { type Site, useSite } from "../../../lib/site";
import { StaleNotice } from "../../../ui/StaleNotice";
import { Bone, Failed } from "../../../ui/states";
import styles from "../styles.module.css";

export interface RecordPageProps<T> {
  /** What it is, in a word: part of the path and of what a screen reader hears meanwhile. */
  what: string;
  asked: UseQueryResult<T>;
  title: (thing: T) => string;
  children: (thing: T, site: Site) => ReactNode;
}

export function RecordPage<T>({ what, asked, title, children }: RecordPageProps<T>) {
  const sites = useSite();
  const failed = [asked, sites].find((one) => one.isError && !one.data);
  if (failed)
    return <Failed error={failed.error} retry={() => Promise.all([asked.refetch(), sites.refetch()])} />;
  if (!asked.data || !sites.data) {
    return (
      <div className={styles.stack} aria-busy="true">
        <span className="pw-visually-hidden">Loading the {what}</span>
        <Bone width="40%" height={36} />
        <Bone height={280} />
      </div>
    );
  }
  return (
    <>
      <StaleNotice of={[asked]} />
      <header className={styles.head}>
        <p className={styles.quiet}>
          <Link to="/chain">Chain</Link> / {what}
        </p>
        <h1>{title(asked.data)}</h1>
      </header>
      <div className={styles.stack}>{children(asked.data, sites.data)}</div>
    </>
  );
}
