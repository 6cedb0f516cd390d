// The frame of every page: navigation as a rail on a desktop and a bar on a phone, and the top line.
import { Link, Outlet } from "@tanstack/react-router";
import { LiveProvider } from "../live/LiveProvider";
import { AccountMenu } from "./AccountMenu";
import { ClearingResult } from "./ClearingResult";
import styles from "./Frame.module.css";
import { ChainIcon, ListIcon, SunIcon } from "./icons";
import { SignOutFailed } from "./SignOutFailed";
import { TopLine } from "./TopLine";

const PAGES = [
  { to: "/", name: "Today", icon: SunIcon },
  { to: "/trades", name: "Trades", icon: ListIcon },
  { to: "/proof", name: "Proof", icon: ChainIcon },
] as const;

function Navigation() {
  return (
    <nav className={styles.pages} aria-label="Pages">
      {PAGES.map(({ to, name, icon: Icon }) => (
        <Link key={to} to={to} className={styles.page} activeOptions={{ exact: to === "/" }}>
          <Icon />
          <span>{name}</span>
        </Link>
      ))}
    </nav>
  );
}

export function Frame() {
  return (
    <LiveProvider>
      <a href="#content" className={styles.skip}>
        Skip to the page
      </a>
      <ClearingResult />
      <div className={styles.frame}>
        <header className={styles.top}>
          <TopLine />
          <AccountMenu />
        </header>
        <Navigation />
        <main id="content" className={styles.content} tabIndex={-1}>
          <SignOutFailed />
          <Outlet />
        </main>
      </div>
    </LiveProvider>
  );
}
