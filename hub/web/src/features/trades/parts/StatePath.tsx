// Where a trade stands, as a path of five dots with the reached step in words.

import { STEPS } from "../labels";
import type { Trade } from "../queries";
import styles from "../styles.module.css";

export function StatePath({ state }: { state: Trade["state"] }) {
  const reached = STEPS.indexOf(state);
  return (
    <span className={styles.path}>
      <svg viewBox="0 0 88 12" width="88" height="12" aria-hidden="true">
        <path d="M6 6h76" className={styles.pathLine} />
        {reached > 0 ? <path d={`M6 6h${reached * 19}`} className={styles.pathDone} /> : null}
        {STEPS.map((step, at) => (
          <circle
            key={step}
            cx={6 + at * 19}
            cy="6"
            r={at === reached ? 5 : 4}
            className={at <= reached ? styles.dotDone : styles.dot}
          />
        ))}
      </svg>
      <span>
        {state}
        <span className="pw-visually-hidden">
          , step {reached + 1} of {STEPS.length}
        </span>
      </span>
    </span>
  );
}
