// The five programs: the code that stands on the chain, compared with what was published, and who may change it.
import { Link } from "@tanstack/react-router";
import { Card } from "../../../ui/Card";
import { Resource } from "../../../ui/Resource";
import { Skeleton } from "../../../ui/Skeleton";
import ui from "../../../ui/ui.module.css";
import { abbreviate, PROGRAM_PURPOSES } from "../labels";
import type { Program, usePrograms } from "../queries";
import styles from "../styles.module.css";

function compareCode(program: Program): { matches: boolean; label: string } {
  if (!program.deployed) return { matches: false, label: "not deployed" };
  return program.matches
    ? { matches: true, label: "as published" }
    : { matches: false, label: "another build" };
}

function FirstAccounts({ program }: { program: Program }) {
  return program.accounts.map((account) => (
    <span key={account.address} className={styles.firstAccount}>
      {account.founded ? (
        <Link to="/chain/$address" params={{ address: account.address }}>
          {account.kind}
          <span className="pw-visually-hidden"> of {program.name}</span>
        </Link>
      ) : (
        `${account.kind} is not founded`
      )}{" "}
      <span className={ui.mono}>{abbreviate(account.address)}</span>
    </span>
  ));
}

function ProgramItem({ program }: { program: Program }) {
  const { matches, label } = compareCode(program);
  return (
    <li className={styles.item}>
      <div className={styles.itemHead}>
        <h3>{program.name}</h3>
        <span className={styles.comparison} data-matches={matches}>
          <span aria-hidden="true">{matches ? "✓" : "✕"}</span> {label}
        </span>
      </div>
      <p>{PROGRAM_PURPOSES[program.name]}</p>
      <dl className={ui.facts}>
        <dt>Address</dt>
        <dd>
          <Link to="/chain/$address" params={{ address: program.address }} className={ui.mono}>
            {program.address}
          </Link>
        </dd>
        <dt>SHA-256</dt>
        <dd className={ui.mono}>{program.sha256 ?? "nothing there"}</dd>
        {program.deployed && !program.matches ? (
          <>
            <dt>Published</dt>
            <dd className={ui.mono}>{program.published_sha256}</dd>
          </>
        ) : null}
        <dt>May be upgraded by</dt>
        <dd className={ui.mono}>{program.upgrade_authority ?? "nobody"}</dd>
        <dt>First accounts</dt>
        <dd>
          <FirstAccounts program={program} />
        </dd>
      </dl>
    </li>
  );
}

export function Programs({ query }: { query: ReturnType<typeof usePrograms> }) {
  return (
    <Resource
      name="the programs"
      queries={{ programs: query }}
      skeleton={<Skeleton height={420} />}
      staleNotice="inside"
    >
      {({ programs }, staleNotice) => (
        <Card title="The five programs">
          {staleNotice}
          <ul>
            {programs.items.map((program) => (
              <ProgramItem key={program.name} program={program} />
            ))}
          </ul>
        </Card>
      )}
    </Resource>
  );
}
