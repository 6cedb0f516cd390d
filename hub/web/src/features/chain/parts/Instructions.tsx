// The instructions of a transaction in their order, each with its arguments and accounts as the program's IDL names them.
import type { Site } from "../../../lib/site";
import ui from "../../../ui/ui.module.css";
import type { Instruction } from "../queries";
import styles from "../styles.module.css";
import { AddressLink, FieldList } from "./FieldList";

type AccountMeta = Instruction["accounts"][number];

const rightsOf = ({ signer, writable }: AccountMeta) =>
  [signer ? "signs" : "", writable ? "may change" : ""].filter(Boolean).join(", ");

function Accounts({ accounts }: { accounts: readonly AccountMeta[] }) {
  if (accounts.length === 0) return null;
  return (
    <details className={ui.details}>
      <summary>
        {accounts.length} {accounts.length === 1 ? "account" : "accounts"}
      </summary>
      <dl className={styles.fields}>
        {accounts.map((account, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: an instruction's accounts are known by their place
          <div key={index}>
            <dt>
              {account.name ?? `account ${index + 1}`}
              <span className={styles.description}>{rightsOf(account)}</span>
            </dt>
            <dd>
              <AddressLink address={account.address} />
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function Arguments({ instruction, site }: { instruction: Instruction; site: Site }) {
  const { args, data_hex } = instruction;
  if (!args) return <p className={ui.mono}>{data_hex}</p>;
  if (Object.keys(args).length === 0) return <p className={ui.quiet}>It takes no arguments.</p>;
  return <FieldList fields={args} site={site} />;
}

function InstructionItem({ instruction, site }: { instruction: Instruction; site: Site }) {
  return (
    <li className={styles.item}>
      <div className={styles.itemHead}>
        <h3>{instruction.name ?? instruction.program_name ?? "An unknown program"}</h3>
        <span className={ui.quiet}>{instruction.name ? instruction.program_name : "not decoded"}</span>
      </div>
      <Arguments instruction={instruction} site={site} />
      <Accounts accounts={instruction.accounts} />
    </li>
  );
}

export function Instructions({ instructions, site }: { instructions: readonly Instruction[]; site: Site }) {
  return (
    <ol>
      {instructions.map((instruction, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the order of instructions is what they are
        <InstructionItem key={index} instruction={instruction} site={site} />
      ))}
    </ol>
  );
}
