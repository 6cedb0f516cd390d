// A field that opens a proof file from disk; nothing leaves the browser.
import { useState } from "react";
import ui from "../../../ui/ui.module.css";
import styles from "../styles.module.css";
import { type ProofDocument, readProofFile } from "../verify/document";

export function ProofFileField({ onOpen }: { onOpen: (proof: ProofDocument, name: string) => void }) {
  const [error, setError] = useState("");
  async function read(file: File | undefined): Promise<void> {
    if (!file) return;
    try {
      onOpen(await readProofFile(file), file.name);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : "The file can not be read";
      setError(`${message}. Choose another file.`);
    }
  }
  return (
    <>
      <label htmlFor="file" className={ui.label}>
        Proof file (peerwatt.proof/1)
      </label>
      <input
        id="file"
        type="file"
        className={styles.file}
        accept=".json,application/json"
        aria-describedby="file-error"
        onChange={(event) => void read(event.currentTarget.files?.[0])}
      />
      <p className={ui.quiet}>It is verified here; nothing leaves your browser.</p>
      <p id="file-error" className={ui.fieldError} role="alert">
        {error}
      </p>
    </>
  );
}
