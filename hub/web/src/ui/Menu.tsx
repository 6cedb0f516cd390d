// A button that opens a menu of actions, for pointer and keyboard (WAI-ARIA Authoring Practices, "Menu Button").
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import styles from "./Menu.module.css";

export type MenuItem = { label: string; onSelect: () => void };

/** The item that a key moves the focus to; null for keys that move nothing. */
function nextItem(key: string, items: readonly Element[], focused: Element | null): Element | null {
  const index = focused ? items.indexOf(focused) : -1;
  if (key === "ArrowDown") return items[(index + 1) % items.length] ?? null;
  if (key === "ArrowUp") return items.at(index < 0 ? -1 : index - 1) ?? null;
  if (key === "Home") return items[0] ?? null;
  return key === "End" ? (items.at(-1) ?? null) : null;
}

type Props = { button: ReactNode; heading: string; items: readonly MenuItem[] };

export function Menu({ button, heading, items }: Props) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const menu = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (!open) return;
    menu.current?.focus();
    const closeOutside = ({ target }: PointerEvent) => {
      if (!root.current?.contains(target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", closeOutside);
    return () => document.removeEventListener("pointerdown", closeOutside);
  }, [open]);

  function close(): void {
    setOpen(false);
    opener.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent<HTMLDivElement>): void {
    const next = nextItem(event.key, [...event.currentTarget.children], document.activeElement);
    if (next instanceof HTMLElement) {
      event.preventDefault();
      next.focus();
    } else if (event.key === "Escape") close();
    else if (event.key === "Tab") setOpen(false);
  }

  return (
    <div ref={root} className={styles.root}>
      <button
        ref={opener}
        type="button"
        className={styles.button}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {button}
      </button>
      {open ? (
        <div className={styles.popup}>
          <p className={styles.heading}>{heading}</p>
          <div
            ref={menu}
            role="menu"
            tabIndex={-1}
            aria-label={heading}
            className={styles.menu}
            onKeyDown={onKeyDown}
          >
            {items.map(({ label, onSelect }) => (
              <button
                key={label}
                type="button"
                role="menuitem"
                tabIndex={-1}
                onClick={() => {
                  close();
                  onSelect();
                }}
              >
                {label}
              </button>
            ))}
          </div>
        </div>
      ) : null}
    </div>
  );
}
