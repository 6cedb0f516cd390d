// Takes the place of a page that has nothing to show yet, and says what to do next.
import type { ReactNode } from "react";
import ui from "./ui.module.css";

export function EmptyState({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className={ui.state}>
      <svg viewBox="0 0 48 48" width="48" height="48" aria-hidden="true" className={ui.stateMark}>
        <circle cx="24" cy="30" r="9" fill="none" stroke="currentColor" strokeWidth="2.5" />
        <path
          d="M4 38h40M24 12v5M9.5 17.5l3.5 3.5M38.5 17.5 35 21"
          fill="none"
          stroke="currentColor"
          strokeWidth="2.5"
          strokeLinecap="round"
        />
      </svg>
      <h2>{title}</h2>
      <div className={ui.stateText}>{children}</div>
    </div>
  );
}
