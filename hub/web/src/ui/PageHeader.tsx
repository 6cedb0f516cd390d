// The head of a page: where it stands in the app, its heading, and a sentence or two under it.
import type { ReactNode } from "react";
import ui from "./ui.module.css";

type Props = { breadcrumb?: ReactNode; title: ReactNode; children?: ReactNode };

export function PageHeader({ breadcrumb, title, children }: Props) {
  return (
    <header className={ui.pageHeader}>
      {breadcrumb ? <p className={ui.quiet}>{breadcrumb}</p> : null}
      <h1>{title}</h1>
      {children}
    </header>
  );
}
