// A proof as the hub answers it and as the file `peerwatt.proof/1` holds it: read from JSON, with refusals in words.
import type { components } from "../../api/schema";

export type ProofDocument = Pick<
  components["schemas"]["ReadingProof"],
  "gateway_id" | "public_key" | "header" | "signature" | "record" | "index" | "count" | "path"
> &
  Partial<components["schemas"]["ReadingProof"]>;

export const FORMAT = "peerwatt.proof/1";
const MAX_FILE_BYTES = 1_000_000;
const HEX = ["public_key", "header", "signature", "record"] as const;

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function checkHashes(path: unknown, where: string): void {
  const good = Array.isArray(path) && path.length <= 64 && path.every((one) => /^[0-9a-f]{64}$/i.test(one));
  if (!good) throw new RangeError(`${where} must be a list of hashes in hexadecimal`);
}

/** Intervals that were attested before there were blindings have none. */
const isBlinding = (value: unknown): boolean =>
  value === null || value === undefined || (typeof value === "string" && /^[0-9a-f]{32}$/i.test(value));

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

/** Takes JSON that was parsed from a file or an answer; RangeError says what is missing. */
export function toDocument(value: unknown): ProofDocument {
  if (!isFields(value)) throw new RangeError("The file holds no proof");
  if (value.format !== FORMAT) throw new RangeError(`The file's "format" must be ${FORMAT}`);
  for (const name of HEX) {
    const field = value[name];
    if (typeof field !== "string" || !/^([0-9a-f]{2})+$/i.test(field)) {
      throw new RangeError(`"${name}" must be there, in hexadecimal`);
    }
  }
  if (typeof value.gateway_id !== "string") throw new RangeError(`"gateway_id" must be there`);
  for (const name of ["index", "count"]) {
    if (!Number.isSafeInteger(value[name])) throw new RangeError(`"${name}" must be an integer`);
  }
  checkHashes(value.path, `"path"`);
  const merkle = ["index", "count"];
  checkRung(value.reading, "reading", ["import_wh", "export_wh"], ["meter_id", "slot_at"], []);
  checkRung(
    value.interval,
    "interval",
    [...merkle, "import_wh", "export_wh"],
    ["start_at", "end_at", "merkle_root", "meter_id", "quality"],
  );
  if (isFields(value.interval) && !isBlinding(value.interval.blinding)) {
    throw new RangeError(`"interval.blinding" must be 16 bytes in hexadecimal`);
  }
  const amounts = ["sold_wh", "bought_wh", "credit_micros", "debit_micros"];
  checkRung(value.line, "line", [...merkle, ...amounts], ["start_at", "root", "wallet"]);
  checkRung(value.chain, "chain", [], ["interval_account"], []);
  if (isFields(value.chain) && !Array.isArray(value.chain.transactions)) {
    throw new RangeError(`"chain.transactions" must be a list`);
  }
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
