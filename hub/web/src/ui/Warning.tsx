// A warning beside figures, for instance that they are older than they should be.
import type { ReactNode } from "react";
import ui from "./ui.module.css";

export function Warning({ children }: { children: ReactNode }) {
  return (
    <p className={ui.warning}>
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
