// Decoded values as people read them: names as the program has them, addresses as links, figures with their unit.
import { Link } from "@tanstack/react-router";
import type { Site } from "../../../lib/site";
import { meaning } from "../labels";
import { ADDRESS } from "../queries";
import styles from "../styles.module.css";

type Fields = Record<string, unknown>;
const FEW = 3;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function Many({ name, items, site }: { name: string; items: unknown[]; site: Site }) {
  if (items.length === 0) return <span className={styles.quiet}>none</span>;
  const list = (
    <ol className={styles.items}>
      {items.map((item, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a place in an account's list is what the item is
        <li key={at}>
          <Value name={name} value={item} site={site} />
        </li>
      ))}
    </ol>
  );
  if (items.length <= FEW) return list;
  return (
    <details className={styles.more}>
      <summary>{items.length} entries</summary>
      {list}
    </details>
  );
}

function Value({ name, value, site }: { name: string; value: unknown; site: Site }) {
  if (Array.isArray(value)) return <Many name={name} items={value} site={site} />;
  if (isFields(value)) return <FieldList fields={value} site={site} />;
  if (value === null) return <span className={styles.quiet}>none</span>;
  if (typeof value === "string" && ADDRESS.test(value)) return <AddressLink address={value} />;
  if (typeof value === "number") {
    const means = meaning(name, value, site);
    return (
      <>
        {value}
        {means ? <span className={styles.means}>{means}</span> : null}
      </>
    );
  }
  return <span className={styles.mono}>{String(value)}</span>;
}

export function AddressLink({ address }: { address: string }) {
  return (
    <Link to="/chain/$address" params={{ address }} className={styles.mono}>
      {address}
    </Link>
  );
}

export function FieldList({ fields, site }: { fields: Fields; site: Site }) {
  const names = Object.keys(fields);
  if (names.length === 0) return <span className={styles.quiet}>none</span>;
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
