// A card with a heading: the one kind of box on every page.
import type { ReactNode } from "react";
import ui from "./ui.module.css";

type Props = { title?: string; aside?: ReactNode; children: ReactNode; className?: string | undefined };

export function Card({ title, aside, children, className }: Props) {
  return (
    <section className={`${ui.card} ${className ?? ""}`} {...(title ? { "aria-label": title } : {})}>
      {title ? (
        <header className={ui.cardHead}>
          <h2>{title}</h2>
          {aside}
        </header>
      ) : null}
      {children}
    </section>
  );
}
