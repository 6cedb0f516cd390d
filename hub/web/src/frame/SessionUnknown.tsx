// Shown while the hub does not say whether somebody is signed in: no sign-in form, because the session may well live.
import { useTitle } from "../lib/useTitle";
import { LoadError } from "../ui/LoadError";
import styles from "./Frame.module.css";

export function SessionUnknown({ failure, retry }: { failure: unknown; retry: () => unknown }) {
  useTitle("No answer");
  return (
    <main className={styles.alone}>
      <LoadError error={failure} retry={retry} />
    </main>
  );
}
