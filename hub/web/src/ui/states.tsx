// The states of a page that has nothing to show yet: loading, empty, failed. Each says what to do next.
import type { ReactNode } from "react";
import { Problem } from "../api/problem";
import styles from "./ui.module.css";

/** A grey shape that keeps the place of what is loading. */
export function Bone({ width = "100%", height }: { width?: number | string; height: number }) {
  return <span className={styles.bone} style={{ width, height }} aria-hidden="true" />;
}

export function Empty({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className={styles.state}>
      <svg viewBox="0 0 48 48" width="48" height="48" aria-hidden="true" className={styles.stateMark}>
        <circle cx="24" cy="30" r="9" fill="none" stroke="currentColor" strokeWidth="2.5" />
        <path
          d="M4 38h40M24 12v5M9.5 17.5l3.5 3.5M38.5 17.5 35 21"
          fill="none"
          stroke="currentColor"
          strokeWidth="2.5"
          strokeLinecap="round"
        />
      </svg>
      <h2 className={styles.stateTitle}>{title}</h2>
      <div className={styles.stateText}>{children}</div>
    </div>
  );
}

function advice(error: unknown): { title: string; text: string } {
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

export function Failed({ error, retry }: { error: unknown; retry: () => unknown }) {
  const { title, text } = advice(error);
  return (
    <div className={`${styles.state} ${styles.failed}`} role="alert">
      <h2 className={styles.stateTitle}>{title}</h2>
      <p className={styles.stateText}>{text}</p>
      <button type="button" className={styles.button} onClick={() => retry()}>
        Try again
      </button>
    </div>
  );
}

/** Something on a page broke, or could not be loaded: the page is lost, the app is not. */
export function Broken() {
  return (
    <div className={`${styles.state} ${styles.failed}`} role="alert">
      <h2 className={styles.stateTitle}>This page can not be shown</h2>
      <p className={styles.stateText}>
        A part of it did not load, or holds what the app can not show. Nothing you did is lost. If it lasts,
        tell the operator.
      </p>
      <button type="button" className={styles.button} onClick={() => window.location.reload()}>
        Load it again
      </button>
    </div>
  );
}

/** A word about figures that are older than they should be. */
export function StaleNote({ children }: { children: ReactNode }) {
  return (
    <p className={styles.stale}>
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <path
          d="M8 1.5 15 14H1Z"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.6"
          strokeLinejoin="round"
        />
        <path d="M8 6v4M8 11.6v.4" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" />
      </svg>
      <span>{children}</span>
    </p>
  );
}
