// Whether a transaction did what it was sent for, as a mark and a word.
import styles from "../styles.module.css";

export function Outcome({ failed }: { failed: boolean }) {
  return (
    <span className={styles.outcome} data-failed={failed}>
      {failed ? "failed" : "done"}
    </span>
  );
}
