// A card with a heading: the one kind of box on every page.
import type { ReactNode } from "react";
import styles from "./ui.module.css";

type Props = { title?: string; aside?: ReactNode; children: ReactNode; className?: string | undefined };

export function Card({ title, aside, children, className }: Props) {
  return (
    <section className={`${styles.card} ${className ?? ""}`} {...(title ? { "aria-label": title } : {})}>
      {title ? (
        <header className={styles.cardHead}>
          <h2 className={styles.cardTitle}>{title}</h2>
          {aside}
        </header>
      ) : null}
      {children}
    </section>
  );
}
