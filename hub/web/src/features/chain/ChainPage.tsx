// Chain: what does it say? Where it stands, the five programs compared with the published ones, the newest transactions.
import { Link, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { type Site, useSite } from "../../lib/site";
import { useTitle } from "../../lib/useTitle";
import { buttonClass } from "../../ui/buttons";
import { Card } from "../../ui/Card";
import { StaleNotice } from "../../ui/StaleNotice";
import { Bone, Failed } from "../../ui/states";
import { moment, PURPOSE, short } from "./labels";
import { TransactionList } from "./parts/TransactionList";
import { ADDRESS, type Head, type Program, SIGNATURE, useHead, usePrograms } from "./queries";
import styles from "./styles.module.css";

function Stands({ head, site }: { head: Head; site: Site }) {
  const figures: [string, string][] = [
    ["Finalized slot", head.finalized_slot.toLocaleString("en-GB")],
    ["Newest slot", head.slot.toLocaleString("en-GB")],
    ["Transactions", head.transactions.toLocaleString("en-GB")],
    ["The chain's time", head.finalized_at ? moment(head.finalized_at, site) : "not told"],
  ];
  return (
    <Card title="Where it stands" aside={<span className={styles.quiet}>{head.cluster} chain</span>}>
      <dl className={styles.figures} data-testid="head">
        {figures.map(([name, figure]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{figure}</dd>
          </div>
        ))}
      </dl>
      <p className={styles.genesis}>
        Genesis <span className={styles.mono}>{head.genesis_hash}</span>
      </p>
    </Card>
  );
}

function ById() {
  const navigate = useNavigate();
  const [wrong, setWrong] = useState(false);
  function open(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const text = String(new FormData(event.currentTarget).get("sought")).trim();
    if (SIGNATURE.test(text)) void navigate({ to: "/chain/tx/$signature", params: { signature: text } });
    else if (ADDRESS.test(text)) void navigate({ to: "/chain/$address", params: { address: text } });
    else setWrong(true);
  }
  return (
    <form onSubmit={open} className={styles.search} noValidate>
      <label htmlFor="sought">Address or signature</label>
      <div>
        <input
          id="sought"
          name="sought"
          autoComplete="off"
          spellCheck={false}
          aria-invalid={wrong}
          aria-describedby="sought-wrong"
          onChange={() => setWrong(false)}
        />
        <button type="submit" className={buttonClass}>
          Look it up
        </button>
      </div>
      <p id="sought-wrong" className={styles.wrong} role="alert">
        {wrong
          ? "An address has 32 to 44 letters and digits, a signature 64 to 88 (no 0, O, I or l). Copy it whole."
          : ""}
      </p>
    </form>
  );
}

function verdict(program: Program): { state: string; word: string } {
  if (!program.deployed) return { state: "wrong", word: "not deployed" };
  if (!program.matches) return { state: "wrong", word: "another build" };
  return { state: "good", word: "as published" };
}

function Code({ program }: { program: Program }) {
  const { state, word } = verdict(program);
  return (
    <li className={styles.program}>
      <div className={styles.programHead}>
        <h3>{program.name}</h3>
        <span className={styles.verdict} data-state={state}>
          <span aria-hidden="true">{state === "good" ? "✓" : "✕"}</span> {word}
        </span>
      </div>
      <p>{PURPOSE[program.name]}</p>
      <dl className={styles.facts}>
        <dt>Address</dt>
        <dd>
          <Link to="/chain/$address" params={{ address: program.address }} className={styles.mono}>
            {program.address}
          </Link>
        </dd>
        <dt>SHA-256</dt>
        <dd className={styles.mono}>{program.sha256 ?? "nothing there"}</dd>
        {program.deployed && !program.matches ? (
          <>
            <dt>Published</dt>
            <dd className={styles.mono}>{program.published_sha256}</dd>
          </>
        ) : null}
        <dt>May be upgraded by</dt>
        <dd className={styles.mono}>{program.upgrade_authority ?? "nobody"}</dd>
        <dt>First accounts</dt>
        <dd>
          {program.accounts.map((one) => (
            <span key={one.address} className={styles.first}>
              {one.founded ? (
                <Link to="/chain/$address" params={{ address: one.address }}>
                  {one.kind}
                  <span className="pw-visually-hidden"> of {program.name}</span>
                </Link>
              ) : (
                `${one.kind} is not founded`
              )}{" "}
              <span className={styles.mono}>{short(one.address)}</span>
            </span>
          ))}
        </dd>
      </dl>
    </li>
  );
}

function Programs() {
  const asked = usePrograms();
  if (asked.isError && !asked.data) return <Failed error={asked.error} retry={asked.refetch} />;
  if (!asked.data) return <Bone height={420} />;
  return (
    <Card title="The five programs">
      <StaleNotice of={[asked]} />
      <ul className={styles.programs}>
        {asked.data.items.map((program) => (
          <Code key={program.name} program={program} />
        ))}
      </ul>
    </Card>
  );
}

function Body({ site }: { site: Site }) {
  const head = useHead();
  if (head.isError && !head.data) return <Failed error={head.error} retry={head.refetch} />;
  return (
    <div className={styles.stack}>
      <StaleNotice of={[head]} />
      {head.data ? <Stands head={head.data} site={site} /> : <Bone height={160} />}
      <Card title="What are you looking for?">
        <ById />
      </Card>
      <Programs />
      <Card title="Newest transactions">
        <TransactionList address={null} site={site} />
      </Card>
    </div>
  );
}

export function ChainPage() {
  useTitle("Chain");
  const sites = useSite();
  return (
    <>
      <header className={styles.head}>
        <h1>What does the chain say?</h1>
        <p>
          Programs, accounts and transactions as the hub's node tells them. Any other node of the same chain
          tells the same: <Link to="/proof">a proof</Link> names the accounts to compare.
        </p>
      </header>
      {sites.isError && !sites.data ? <Failed error={sites.error} retry={sites.refetch} /> : null}
      {sites.data ? <Body site={sites.data} /> : null}
    </>
  );
}
