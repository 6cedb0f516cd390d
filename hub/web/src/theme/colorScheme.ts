// Dark or light: what the person chose, else what the device prefers. It stands on the root element, where tokens.css reads it.
import { useSyncExternalStore } from "react";

export type ColorScheme = "light" | "dark";

const STORAGE_KEY = "peerwatt-color-scheme";
const devicePrefersDark = window.matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

/** Reads the choice; null without one, and where the browser keeps nothing for this site. */
function storedChoice(): ColorScheme | null {
  try {
    const value = localStorage.getItem(STORAGE_KEY);
    return value === "light" || value === "dark" ? value : null;
  } catch {
    return null;
  }
}

let choice = storedChoice();
let current: ColorScheme;

function apply(): void {
  current = choice ?? (devicePrefersDark.matches ? "dark" : "light");
  document.documentElement.dataset.colorScheme = current;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Keeps the choice on this device, for every tab; for this one only where the browser keeps nothing. */
export function setColorScheme(scheme: ColorScheme): void {
  choice = scheme;
  try {
    localStorage.setItem(STORAGE_KEY, scheme);
  } catch {}
  apply();
}

export function useColorScheme(): ColorScheme {
  return useSyncExternalStore(subscribe, () => current);
}

apply();
devicePrefersDark.addEventListener("change", apply);
window.addEventListener("storage", () => {
  choice = storedChoice();
  apply();
});
