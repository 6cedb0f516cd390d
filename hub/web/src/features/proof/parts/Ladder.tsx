// The ladder as people see it: five rungs, each with its state in a mark, a word and a colour, open to its bytes.
import { Link } from "@tanstack/react-router";
import ui from "../../../ui/ui.module.css";
import styles from "../styles.module.css";
import type { Rung, RungState, ShownValue } from "../verify/rungs";

const STATE_LABELS: Record<RungState, string> = {
  waiting: "checking",
  verified: "verified here",
  consistent: "fits what is shown",
  broken: "does not hold",
  absent: "not there",
  told: "not verified here",
};

function Mark({ state }: { state: RungState }) {
  return (
    <svg viewBox="0 0 32 32" width="32" height="32" aria-hidden="true" className={styles.mark}>
      <circle
        cx="16"
        cy="16"
        r="14"
        {...(state === "absent" || state === "waiting" ? { strokeDasharray: "4 4" } : {})}
      />
      {state === "verified" ? <path d="m9.5 16.5 4.5 4.5 8.5-9.5" /> : null}
      {state === "consistent" ? <path d="M10 13h12M10 19h12" /> : null}
      {state === "broken" ? <path d="m11 11 10 10M21 11 11 21" /> : null}
      {state === "told" ? <path d="M16 9v8M16 22v.5" /> : null}
    </svg>
  );
}

function Checks({ rung }: { rung: Rung }) {
  return (
    <ul className={styles.checks}>
      {rung.checks.map((check) => (
        <li key={check.says} data-holds={check.holds}>
          <span aria-hidden="true">{check.holds ? "✓" : "✕"}</span>
          <span>
            <span className="pw-visually-hidden">{check.holds ? "Holds: " : "Does not hold: "}</span>
            {check.says}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** The value; a link to the explorer where it names something on the chain. */
function LinkedValue({ value, on }: ShownValue) {
  if (on === "account") {
    return (
      <Link to="/chain/$address" params={{ address: value }}>
        {value}
      </Link>
    );
  }
  if (on === "transaction") {
    return (
      <Link to="/chain/tx/$signature" params={{ signature: value }}>
        {value}
      </Link>
    );
  }
  return value;
}

function ShownValues({ rung }: { rung: Rung }) {
  return (
    <details className={ui.details}>
      <summary>{rung.id === "chain" ? "Accounts and transactions" : "Bytes and hashes"}</summary>
      <dl className={styles.values}>
        {rung.shown.map((shown) => (
          <div key={`${shown.name} ${shown.value}`}>
            <dt>{shown.name}</dt>
            <dd className={ui.mono}>
              <LinkedValue {...shown} />
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

export function Ladder({ rungs }: { rungs: readonly Rung[] }) {
  return (
    <ol>
      {rungs.map((rung) => (
        <li key={rung.id} className={styles.rung} data-rung={rung.id} data-state={rung.state}>
          <Mark state={rung.state} />
          <div className={styles.body}>
            <div className={styles.head}>
              <h2>{rung.title}</h2>
              <span className={styles.state}>{STATE_LABELS[rung.state]}</span>
            </div>
            <p className={styles.sentence}>{rung.sentence}</p>
            {rung.checks.length > 0 ? <Checks rung={rung} /> : null}
            {rung.open && (rung.state === "verified" || rung.state === "consistent") ? (
              <p className={styles.open}>
                <b>Not verified here:</b> {rung.open}
              </p>
            ) : null}
            {rung.shown.length > 0 ? <ShownValues rung={rung} /> : null}
          </div>
        </li>
      ))}
    </ol>
  );
}
