// Decoded values as people read them: names as the program has them, addresses as links, figures with their unit.
import { Link } from "@tanstack/react-router";
import type { Site } from "../../../lib/site";
import ui from "../../../ui/ui.module.css";
import { describeNumber } from "../labels";
import { ADDRESS } from "../queries";
import styles from "../styles.module.css";

type Fields = Record<string, unknown>;

/** Longer lists are folded away. */
const MAX_OPEN_ITEMS = 3;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

type ValueProps<T> = { name: string; value: T; site: Site };

function ListValue({ name, value: items, site }: ValueProps<unknown[]>) {
  if (items.length === 0) return <span className={ui.quiet}>none</span>;
  const list = (
    <ol className={styles.values}>
      {items.map((item, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a place in an account's list is what the item is
        <li key={index}>
          <Value name={name} value={item} site={site} />
        </li>
      ))}
    </ol>
  );
  if (items.length <= MAX_OPEN_ITEMS) return list;
  return (
    <details className={styles.foldedList}>
      <summary>{items.length} entries</summary>
      {list}
    </details>
  );
}

function NumberValue({ name, value, site }: ValueProps<number>) {
  const description = describeNumber(name, value, site);
  return (
    <>
      {value}
      {description ? <span className={styles.description}>{description}</span> : null}
    </>
  );
}

function Value({ name, value, site }: ValueProps<unknown>) {
  if (Array.isArray(value)) return <ListValue name={name} value={value} site={site} />;
  if (isFields(value)) return <FieldList fields={value} site={site} />;
  if (value === null) return <span className={ui.quiet}>none</span>;
  if (typeof value === "string" && ADDRESS.test(value)) return <AddressLink address={value} />;
  if (typeof value === "number") return <NumberValue name={name} value={value} site={site} />;
  return <span className={ui.mono}>{String(value)}</span>;
}

export function AddressLink({ address }: { address: string }) {
  return (
    <Link to="/chain/$address" params={{ address }} className={ui.mono}>
      {address}
    </Link>
  );
}

export function FieldList({ fields, site }: { fields: Fields; site: Site }) {
  const names = Object.keys(fields);
  if (names.length === 0) return <span className={ui.quiet}>none</span>;
  return (
    <dl className={styles.fields}>
      {names.map((name) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <Value name={name} value={fields[name]} site={site} />
          </dd>
        </div>
      ))}
    </dl>
  );
}
