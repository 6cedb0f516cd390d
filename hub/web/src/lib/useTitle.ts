// The name of the page in the browser's tab and for screen readers.
import { useEffect } from "react";

export function useTitle(name: string): void {
  useEffect(() => {
    document.title = `${name} – Peerwatt`;
  }, [name]);
}
