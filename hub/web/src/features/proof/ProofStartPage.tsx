// Where a proof begins: one's newest readings, a reading id, or a file from disk that is verified without the hub.
import { Link, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { energy, time } from "../../lib/format";
import { useSite } from "../../lib/site";
import { useTitle } from "../../lib/useTitle";
import { buttonClass } from "../../ui/buttons";
import { Card } from "../../ui/Card";
import { Bone } from "../../ui/states";
import { ProofView } from "./parts/ProofView";
import { READING_ID, useMeters } from "./queries";
import styles from "./styles.module.css";
import { type ProofDocument, readProofFile } from "./verify/document";
import { readingId } from "./verify/hashes";

function Newest() {
  const { data: site } = useSite();
  const { data, isError } = useMeters();
  if (isError) return <p className={styles.quiet}>The hub does not tell your meters at the moment.</p>;
  if (!data || !site) return <Bone height={144} />;
  const read = data.items.flatMap((meter) => (meter.last_reading ? [meter.last_reading] : []));
  if (read.length === 0) {
    return (
      <p className={styles.quiet}>
        None of your meters has sent a reading yet. Take a reading id from a bill, or open a proof file.
      </p>
    );
  }
  return (
    <ul className={styles.newest}>
      {read.slice(0, 20).map((reading) => (
        <li key={reading.reading_id}>
          <Link to="/proof/$readingId" params={{ readingId: reading.reading_id }} search={{}}>
            <b>{reading.meter_id}</b>
            <span>{time(reading.slot_at, site)}</span>
            <span>import {energy(reading.import_wh)}</span>
            <span>export {energy(reading.export_wh)}</span>
            <span aria-hidden="true">→</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

function ById() {
  const navigate = useNavigate();
  const [wrong, setWrong] = useState(false);
  function open(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const readingId = String(new FormData(event.currentTarget).get("reading")).trim().toLowerCase();
    if (READING_ID.test(readingId))
      void navigate({ to: "/proof/$readingId", params: { readingId }, search: {} });
    else setWrong(true);
  }
  return (
    <form onSubmit={open} className={styles.byId} noValidate>
      <label htmlFor="reading">Reading id</label>
      <div>
        <input
          id="reading"
          name="reading"
          autoComplete="off"
          spellCheck={false}
          placeholder="64 letters and digits"
          aria-invalid={wrong}
          aria-describedby="reading-wrong"
          onChange={() => setWrong(false)}
        />
        <button type="submit" className={buttonClass}>
          Check it
        </button>
      </div>
      <p id="reading-wrong" className={styles.wrong} role="alert">
        {wrong ? "A reading id has 64 letters and digits (0–9, a–f). Copy it whole." : ""}
      </p>
    </form>
  );
}

function FromFile({ opened }: { opened: (proof: ProofDocument, name: string) => void }) {
  const [wrong, setWrong] = useState("");
  async function read(file: File | undefined): Promise<void> {
    if (!file) return;
    try {
      opened(await readProofFile(file), file.name);
    } catch (error) {
      setWrong(
        `${error instanceof Error ? error.message : "The file can not be read"}. Choose another file.`,
      );
    }
  }
  return (
    <div className={styles.fromFile}>
      <label htmlFor="file">Proof file (peerwatt.proof/1)</label>
      <input
        id="file"
        type="file"
        accept=".json,application/json"
        aria-describedby="file-wrong"
        onChange={(event) => void read(event.currentTarget.files?.[0])}
      />
      <p className={styles.quiet}>It is verified here; nothing leaves your browser.</p>
      <p id="file-wrong" className={styles.wrong} role="alert">
        {wrong}
      </p>
    </div>
  );
}

/** A reading's id is made of its bytes: what the hub tells of the same id is about the same bytes. */
function AskTheHub({ proof }: { proof: ProofDocument }) {
  return (
    <p className={styles.quiet}>
      If the reading is yours,{" "}
      <Link
        to="/proof/$readingId"
        params={{ readingId: readingId(proof) }}
        search={{}}
        className={styles.another}
      >
        ask the hub for it
      </Link>
      : its answer is checked against the key in the hub's register.
    </p>
  );
}

export function ProofStartPage() {
  useTitle("Proof");
  const [file, setFile] = useState<{ proof: ProofDocument; name: string } | null>(null);
  if (file) {
    return (
      <ProofView
        proof={file.proof}
        asked={null}
        note={<AskTheHub proof={file.proof} />}
        source={`Proof file ${file.name}, gateway ${file.proof.gateway_id}`}
        action={
          <button type="button" className={buttonClass} onClick={() => setFile(null)}>
            Another proof
          </button>
        }
      />
    );
  }
  return (
    <>
      <h1 className={styles.title}>Check any number yourself</h1>
      <p className={styles.lead}>
        Every reading is signed by its gateway. Your browser checks that signature, follows the reading to its
        interval and settlement line, and tells you what holds and what you would have to compare with{" "}
        <Link to="/chain" className={styles.another}>
          the chain
        </Link>
        .
      </p>
      <div className={styles.start}>
        <Card title="Your newest readings" className={styles.wide}>
          <Newest />
        </Card>
        <Card title="A reading you know">
          <ById />
        </Card>
        <Card title="A file you were given">
          <FromFile opened={(proof, name) => setFile({ proof, name })} />
        </Card>
      </div>
    </>
  );
}
