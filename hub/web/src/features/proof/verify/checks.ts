// What is checked on each rung of the ladder, with the sentence for the person who reads it.
import { type Bytes, equalBytes, fromHex, toHex } from "./bytes";
import type { ProofDocument } from "./document";
import { verifySignature } from "./ed25519";
import { headerHash, intervalLeaf, keyId, lineLeaf, recordLeaf, rootFromPath } from "./hashes";
import { type Check, type ProofRequest, type Rung, type RungState, type ShownValue, TITLES } from "./rungs";
import { decodeHeader, decodeReading } from "./wire";

type CheckedRung = {
  checks: Check[];
  shown: ShownValue[];
  /** The state and the sentence when every check holds. */
  stateIfGood: RungState;
  sentenceIfGood: string;
  open?: string;
};

function buildRung(id: Rung["id"], { checks, shown, stateIfGood, sentenceIfGood, open }: CheckedRung): Rung {
  const failed = checks.filter((check) => !check.holds);
  return {
    id,
    title: TITLES[id],
    state: failed.length > 0 ? "broken" : stateIfGood,
    sentence:
      failed.length > 0
        ? `It does not hold that ${failed.map(({ says }) => says).join("; ")}.`
        : sentenceIfGood,
    checks,
    shown,
    ...(open ? { open } : {}),
  };
}

const absentRung = (id: Rung["id"], sentence: string): Rung => ({
  id,
  title: TITLES[id],
  state: "absent",
  sentence,
  checks: [],
  shown: [],
});

const toSeconds = (at: string) => Date.parse(at) / 1000;
const utcText = (ms: number) =>
  new Date(ms).toISOString().replace("T", " ").replace(".000", "").replace("Z", " UTC");
const whText = (value: number | bigint) => `${value.toLocaleString("en-GB")} Wh`;
const amountText = (micros: number) => (micros / 1_000_000).toFixed(6);
type Place = { index: number; count: number; path: string[] };

const pathLeadsTo = (leaf: Bytes, { index, count, path }: Place, root: Uint8Array) => {
  const computed = rootFromPath(leaf, index, count, path.map(fromHex));
  return computed !== null && equalBytes(computed, root);
};
/** Who says what nothing here is compared with. */
const sourceOf = (request: ProofRequest | null) => (request ? "the hub" : "the file");
const pathValues = (path: string[]): ShownValue[] =>
  path.map((hash, index) => ({ name: `neighbour ${index + 1}`, value: hash }));

/** Checks that the record's bytes are the reading that is shown, and that the signed frame holds them. */
export function verifyReading(proof: ProofDocument, request: ProofRequest | null): Rung {
  const record = fromHex(proof.record);
  const header = decodeHeader(fromHex(proof.header));
  const leaf = recordLeaf(header.gatewayId, record);
  const reading = decodeReading(record);
  const checks: Check[] = [
    {
      says: "the record and its path lead to the root that the frame's header commits to",
      holds: proof.count === header.recordCount && pathLeadsTo(leaf, proof, header.merkleRoot),
    },
  ];
  if (request) {
    checks.unshift({
      says: "this is the reading that was asked for",
      holds: toHex(leaf) === request.readingId,
    });
  }
  if (request || proof.reading_id !== undefined) {
    checks.push({
      says: "the hash of the record's bytes is the reading's id",
      holds: toHex(leaf) === proof.reading_id,
    });
  }
  if (proof.reading) {
    checks.push({
      says: "the registers and the time in the bytes are those that the hub shows",
      holds:
        BigInt(proof.reading.import_wh) === reading.importWh &&
        BigInt(proof.reading.export_wh) === reading.exportWh &&
        toSeconds(proof.reading.slot_at) === reading.slotS,
    });
  }
  return buildRung("reading", {
    checks,
    stateIfGood: request ? "verified" : "consistent",
    sentenceIfGood: `The bytes say: import ${whText(reading.importWh)}, export ${whText(reading.exportWh)}, read at ${utcText(reading.readAtMs)}.`,
    open: `The bytes name the meter by a number of its gateway. Which meter that is stands in another signed record; here ${sourceOf(request)} says it.`,
    shown: [
      { name: "record", value: proof.record },
      { name: "reading id", value: toHex(leaf) },
      { name: "place", value: `${proof.index + 1} of ${proof.count} in the frame` },
      ...pathValues(proof.path),
      { name: "root", value: toHex(header.merkleRoot) },
    ],
  });
}

/** Checks that the gateway's key signed the header. */
export async function verifyFrame(proof: ProofDocument, request: ProofRequest | null): Promise<Rung> {
  const bytes = fromHex(proof.header);
  const header = decodeHeader(bytes);
  const publicKey = fromHex(proof.public_key);
  const verdict = await verifySignature(publicKey, bytes, fromHex(proof.signature));
  const checks: Check[] = [
    { says: `the header is ${proof.gateway_id}'s`, holds: header.gatewayId === proof.gateway_id },
    { says: "the header names this public key", holds: equalBytes(header.keyId, keyId(publicKey)) },
    { says: "this key signed exactly these header bytes (Ed25519)", holds: verdict.holds },
  ];
  if (proof.header_hash !== undefined) {
    checks.push({
      says: "the header's hash is the frame's id",
      holds: toHex(headerHash(bytes)) === proof.header_hash,
    });
  }
  const rung = buildRung("frame", {
    checks,
    stateIfGood: request ? "verified" : "consistent",
    sentenceIfGood: `The key shown below signed frame ${header.sequence} of ${header.gatewayId}, sealed at ${utcText(header.sealedAtMs)}. ${verdict.why}.`,
    open: request
      ? "That this key belongs to the gateway is what the hub's register says."
      : "The key came with the file: whoever wrote the file could have made it. Compare it with the gateway's key, or ask the hub for this reading.",
    shown: [
      { name: "public key", value: proof.public_key },
      { name: "header", value: proof.header },
      { name: "signature", value: proof.signature },
      { name: "frame id", value: toHex(headerHash(bytes)) },
      { name: "frame before", value: toHex(header.previousHash) },
    ],
  });
  return verdict.holds ? rung : { ...rung, sentence: `${rung.sentence} ${verdict.why}.` };
}

/** Checks that the meter's energy is a leaf under the root that the oracle attested. */
export function verifyInterval(proof: ProofDocument, request: ProofRequest | null): Rung {
  const interval = proof.interval;
  if (!interval)
    return absentRung(
      "interval",
      "The oracle has not attested this reading's interval yet. Come back when it has closed.",
    );
  const [start, end] = [toSeconds(interval.start_at), toSeconds(interval.end_at)];
  const leaf = intervalLeaf(start, end, interval);
  const { slotS } = decodeReading(fromHex(proof.record));
  const checks: Check[] = [
    {
      says: `${interval.meter_id}'s import, export, quality and blinding give the leaf`,
      holds: toHex(leaf) === interval.leaf,
    },
    {
      says: "the leaf and its path lead to the interval's root",
      holds: pathLeadsTo(leaf, interval, fromHex(interval.merkle_root)),
    },
    { says: "the reading was taken in the interval", holds: start <= slotS && slotS <= end },
  ];
  if (request?.interval !== undefined) {
    checks.unshift({
      says: "this is the interval that was asked for",
      holds: toSeconds(request.interval) === start,
    });
  }
  if (request?.revision !== undefined) {
    checks.unshift({
      says: "this is the revision that was asked for",
      holds: request.revision === interval.revision,
    });
  }
  const listed = proof.revisions?.find(({ revision }) => revision === interval.revision);
  if (listed) {
    checks.push({
      says: "the list of revisions says the same of this one",
      holds:
        listed.import_wh === interval.import_wh &&
        listed.export_wh === interval.export_wh &&
        listed.quality === interval.quality &&
        listed.merkle_root === interval.merkle_root,
    });
  }
  if (proof.reading) {
    checks.push({
      says: "the interval's leaf is of the same meter",
      holds: proof.reading.meter_id === interval.meter_id,
    });
  }
  return buildRung("interval", {
    checks,
    stateIfGood: "consistent",
    sentenceIfGood: `${interval.meter_id} imported ${whText(interval.import_wh)} and exported ${whText(interval.export_wh)} (${interval.quality}): leaf ${interval.index + 1} under the root shown below.`,
    open: `The root itself: ${sourceOf(request)} says that the oracle attested it. Compare it with the interval account on the chain. An interval's energy is the difference of two readings: open the other one's proof to compare the registers.`,
    shown: [
      {
        name: "interval",
        value: `${utcText(start * 1000)} to ${utcText(end * 1000)}, revision ${interval.revision}`,
      },
      { name: "blinding (keeps neighbours from guessing)", value: interval.blinding },
      { name: "leaf", value: toHex(leaf) },
      ...pathValues(interval.path),
      { name: "root", value: interval.merkle_root },
      { name: "leaves under the root, as told", value: String(interval.count) },
    ],
  });
}

/** Says why there is no line: only an interval whose settlement was sent is known to be without one. */
function explainNoLine({ interval, chain }: ProofDocument): string {
  if (!interval) return "There is no line before the interval is attested and cleared.";
  if (chain?.transactions.some(({ kind }) => kind === "open" || kind === "close"))
    return "The interval is settled without a line of this meter's owner: the owner did not trade in it.";
  return "There is no line yet: the interval is attested, and its market is not settled. If the owner trades in it, the line appears here.";
}

/** Checks that what the owner sold, bought, got and paid is a line under the root that settlement opened with. */
export function verifyLine(proof: ProofDocument, request: ProofRequest | null): Rung {
  const line = proof.line;
  if (!line) {
    return absentRung("line", explainNoLine(proof));
  }
  const leaf = lineLeaf(toSeconds(line.start_at), line.index, line);
  const checks: Check[] = [
    { says: "energy, money and wallet give the leaf", holds: toHex(leaf) === line.leaf },
    {
      says: "the leaf and its path lead to the settlement's root",
      holds: pathLeadsTo(leaf, line, fromHex(line.root)),
    },
  ];
  if (proof.interval) {
    checks.push({
      says: "the line is of the same interval",
      holds: toSeconds(line.start_at) === toSeconds(proof.interval.start_at),
    });
  }
  return buildRung("line", {
    checks,
    stateIfGood: "consistent",
    sentenceIfGood: `Sold ${whText(line.sold_wh)} for ${amountText(line.credit_micros)}, bought ${whText(line.bought_wh)} for ${amountText(line.debit_micros)} in the site's currency: line ${line.index + 1} under the root shown below.`,
    open: `The root itself: ${sourceOf(request)} says that settlement opened with it. Compare it with the settlement account on the chain. Whose wallet it is stands in the chain's register of participants. How the clearing came to these amounts is not in the proof.`,
    shown: [
      { name: "wallet", value: line.wallet },
      { name: "leaf", value: toHex(leaf) },
      ...pathValues(line.path),
      { name: "root", value: line.root },
      { name: "lines under the root, as told", value: String(line.count) },
    ],
  });
}

/** Shows where the roots stand on the chain, and says that the browser did not read the chain itself. */
export function verifyChain(proof: ProofDocument, request: ProofRequest | null): Rung {
  const chain = proof.chain;
  if (!chain)
    return absentRung("chain", "Nothing of this reading is on the chain before its interval is attested.");
  return {
    id: "chain",
    title: TITLES.chain,
    state: "told",
    sentence: `Not verified in your browser: accounts and transactions below are what ${sourceOf(request)} says. Read them from any node of the chain and compare the roots with the rungs above.`,
    checks: [],
    shown: [
      { name: "interval account", value: chain.interval_account, on: "account" },
      ...(chain.settlement_account
        ? [{ name: "settlement account", value: chain.settlement_account, on: "account" as const }]
        : []),
      ...chain.transactions.map((transaction) => ({
        name: `${transaction.kind} (${transaction.state}${transaction.slot === null ? "" : `, slot ${transaction.slot}`})`,
        value: transaction.signature,
        on: "transaction" as const,
      })),
    ],
  };
}
