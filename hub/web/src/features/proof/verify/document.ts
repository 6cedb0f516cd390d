// A proof as the hub answers it and as the file `peerwatt.proof/1` holds it: read from JSON, with refusals in words.
import type { components } from "../../../api/schema";

export type ProofDocument = Pick<
  components["schemas"]["ReadingProof"],
  "gateway_id" | "public_key" | "header" | "signature" | "record" | "index" | "count" | "path"
> &
  Partial<components["schemas"]["ReadingProof"]>;

export const FORMAT = "peerwatt.proof/1";
const MAX_FILE_BYTES = 1_000_000;
const MAX_TRANSACTIONS = 100;
const MAX_REVISIONS = 1000;
const MAX_NAME_LENGTH = 64;
const HEX_FIELDS = ["public_key", "header", "signature", "record"] as const;

const CHAIN_STATES = ["waiting", "final", "refused"];

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function checkHashes(path: unknown, where: string): void {
  const valid =
    Array.isArray(path) && path.length <= 64 && path.every((hash) => /^[0-9a-f]{64}$/i.test(hash));
  if (!valid) throw new RangeError(`${where} must be a list of hashes in hexadecimal`);
}

const isText = (value: unknown) => typeof value === "string";
const isOptionalText = (value: unknown) => value === null || value === undefined || isText(value);

function checkChain(chain: unknown): void {
  checkRung(chain, "chain", [], ["interval_account"], []);
  if (!isFields(chain)) return;
  if (!isOptionalText(chain.settlement_account)) {
    throw new RangeError(`"chain.settlement_account" must be text or null`);
  }
  const { transactions } = chain;
  if (!Array.isArray(transactions) || transactions.length > MAX_TRANSACTIONS) {
    throw new RangeError(`"chain.transactions" must be a list of at most ${MAX_TRANSACTIONS}`);
  }
  for (const transaction of transactions) {
    const valid =
      isFields(transaction) &&
      [transaction.signature, transaction.kind, transaction.state].every(isText) &&
      (transaction.slot === null || Number.isSafeInteger(transaction.slot));
    if (!valid)
      throw new RangeError(`Each of "chain.transactions" must have signature, kind, state and slot`);
  }
}

const isRule = (rule: unknown) => isFields(rule) && isText(rule.rule) && isText(rule.says);

/** Files of before revisions were listed have none. */
function checkRevisions(revisions: unknown): void {
  if (revisions === undefined) return;
  if (!Array.isArray(revisions) || revisions.length > MAX_REVISIONS) {
    throw new RangeError(`"revisions" must be a list of at most ${MAX_REVISIONS}`);
  }
  for (const revision of revisions) {
    const valid =
      isFields(revision) &&
      [revision.revision, revision.import_wh, revision.export_wh].every(Number.isSafeInteger) &&
      [revision.quality, revision.merkle_root, revision.interval_account].every(isText) &&
      CHAIN_STATES.includes(String(revision.chain_state)) &&
      isOptionalText(revision.refusal) &&
      Array.isArray(revision.rules) &&
      revision.rules.every(isRule);
    if (!valid)
      throw new RangeError(
        `Each of "revisions" must have revision, energy, quality, rules, root, account and state on the chain`,
      );
  }
}

function checkRung(rung: unknown, name: string, numbers: string[], texts: string[], paths = ["path"]): void {
  if (rung === null || rung === undefined) return;
  if (!isFields(rung)) throw new RangeError(`"${name}" must be an object`);
  for (const field of numbers) {
    if (!Number.isSafeInteger(rung[field])) throw new RangeError(`"${name}.${field}" must be an integer`);
  }
  for (const field of texts) {
    if (typeof rung[field] !== "string") throw new RangeError(`"${name}.${field}" must be text`);
  }
  for (const field of paths) checkHashes(rung[field], `"${name}.${field}"`);
}

/** Checks JSON that was parsed from a file or an answer; RangeError says what is missing. */
export function toDocument(value: unknown): ProofDocument {
  if (!isFields(value)) throw new RangeError("The file holds no proof");
  if (value.format !== FORMAT) throw new RangeError(`The file's "format" must be ${FORMAT}`);
  for (const name of HEX_FIELDS) {
    const field = value[name];
    if (typeof field !== "string" || !/^([0-9a-f]{2})+$/i.test(field)) {
      throw new RangeError(`"${name}" must be there, in hexadecimal`);
    }
  }
  if (typeof value.gateway_id !== "string" || value.gateway_id.length > MAX_NAME_LENGTH) {
    throw new RangeError(`"gateway_id" must be there, with at most ${MAX_NAME_LENGTH} letters`);
  }
  for (const name of ["reading_id", "header_hash"]) {
    if (!isOptionalText(value[name])) throw new RangeError(`"${name}" must be text`);
  }
  for (const name of ["index", "count"]) {
    if (!Number.isSafeInteger(value[name])) throw new RangeError(`"${name}" must be an integer`);
  }
  checkHashes(value.path, `"path"`);
  const merkle = ["index", "count"];
  checkRung(value.reading, "reading", ["import_wh", "export_wh"], ["meter_id", "slot_at"], []);
  checkRung(
    value.interval,
    "interval",
    [...merkle, "revision", "import_wh", "export_wh"],
    ["start_at", "end_at", "merkle_root", "meter_id", "quality"],
  );
  if (isFields(value.interval) && !/^[0-9a-f]{32}$/i.test(String(value.interval.blinding))) {
    throw new RangeError(`"interval.blinding" must be 16 bytes in hexadecimal`);
  }
  const amounts = ["sold_wh", "bought_wh", "credit_micros", "debit_micros"];
  checkRung(value.line, "line", [...merkle, ...amounts], ["start_at", "root", "wallet"]);
  checkRevisions(value.revisions);
  checkChain(value.chain);
  return value as ProofDocument;
}

/** Reads a proof file from disk; nothing leaves the browser. */
export async function readProofFile(file: Blob): Promise<ProofDocument> {
  if (file.size > MAX_FILE_BYTES) throw new RangeError("The file is larger than any proof");
  let parsed: unknown;
  try {
    parsed = JSON.parse(await file.text());
  } catch {
    throw new RangeError("The file is not JSON");
  }
  return toDocument(parsed);
}

/** Hands the proof to the browser as a file that `peerwatt-edge verify` takes. */
export function saveProofFile(proof: ProofDocument): void {
  const blob = new Blob([`${JSON.stringify({ ...proof, format: FORMAT }, null, 2)}\n`], {
    type: "application/json",
  });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `peerwatt-proof-${(proof.reading_id ?? "reading").slice(0, 12)}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
