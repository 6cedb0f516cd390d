// Where a trade stands, as a path of five dots with the reached state in words.
import { STATES } from "../labels";
import type { Trade } from "../queries";
import styles from "../styles.module.css";

const DOT_DISTANCE = 19;
const FIRST_DOT = 6;

export function StatePath({ state }: { state: Trade["state"] }) {
  const reached = STATES.indexOf(state);
  return (
    <span className={styles.path}>
      <svg viewBox="0 0 88 12" width="88" height="12" aria-hidden="true">
        <path d={`M${FIRST_DOT} 6h${(STATES.length - 1) * DOT_DISTANCE}`} className={styles.pathLine} />
        {reached > 0 ? (
          <path d={`M${FIRST_DOT} 6h${reached * DOT_DISTANCE}`} className={styles.pathDone} />
        ) : null}
        {STATES.map((name, index) => (
          <circle
            key={name}
            cx={FIRST_DOT + index * DOT_DISTANCE}
            cy="6"
            r={index === reached ? 5 : 4}
            className={index <= reached ? styles.dotDone : styles.dot}
          />
        ))}
      </svg>
      <span>
        {state}
        <span className="pw-visually-hidden">
          , step {reached + 1} of {STATES.length}
        </span>
      </span>
    </span>
  );
}
