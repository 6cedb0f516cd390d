// What is checked on each rung of the ladder, with the sentence for the person who reads it.
import { type Bytes, equal, fromHex, hex } from "./bytes";
import type { ProofDocument } from "./document";
import { verifySignature } from "./ed25519";
import { climb, headerHash, intervalLeaf, keyId, lineLeaf, recordLeaf } from "./hashes";
import { type Asked, type Check, type Rung, type RungState, type Shown, TITLES } from "./rungs";
import { decodeHeader, decodeReading } from "./wire";

type Parts = { checks: Check[]; shown: Shown[]; at: RungState; good: string; open?: string };

/** `at` is how far the rung gets when every check holds. */
function judged(id: Rung["id"], { checks, shown, at, good, open }: Parts): Rung {
  const failed = checks.filter((check) => !check.holds);
  return {
    id,
    title: TITLES[id],
    state: failed.length > 0 ? "broken" : at,
    sentence: failed.length > 0 ? `It does not hold that ${failed.map((one) => one.says).join("; ")}.` : good,
    checks,
    shown,
    ...(open ? { open } : {}),
  };
}

const absent = (id: Rung["id"], sentence: string): Rung => ({
  id,
  title: TITLES[id],
  state: "absent",
  sentence,
  checks: [],
  shown: [],
});

const seconds = (at: string) => Date.parse(at) / 1000;
const utc = (ms: number) =>
  new Date(ms).toISOString().replace("T", " ").replace(".000", "").replace("Z", " UTC");
const wh = (value: number | bigint) => `${value.toLocaleString("en-GB")} Wh`;
const amount = (micros: number) => (micros / 1_000_000).toFixed(6);
const leadsTo = (leaf: Bytes, of: { index: number; count: number; path: string[] }, root: Uint8Array) => {
  const top = climb(leaf, of.index, of.count, of.path.map(fromHex));
  return top !== null && equal(top, root);
};
/** Whose word it is that nothing here is compared with. */
const teller = (asked: Asked | null) => (asked ? "the hub" : "the file");
const pathShown = (path: string[]): Shown[] =>
  path.map((hash, at) => ({ name: `neighbour ${at + 1}`, value: hash }));

/** The record's bytes are the reading that is shown, and the signed frame holds them. */
export function verifyReading(proof: ProofDocument, asked: Asked | null): Rung {
  const record = fromHex(proof.record);
  const header = decodeHeader(fromHex(proof.header));
  const leaf = recordLeaf(header.gatewayId, record);
  const reading = decodeReading(record);
  const checks: Check[] = [
    {
      says: "the record and its path lead to the root that the frame's header commits to",
      holds: proof.count === header.recordCount && leadsTo(leaf, proof, header.merkleRoot),
    },
  ];
  if (asked) {
    checks.unshift({ says: "this is the reading that was asked for", holds: hex(leaf) === asked.readingId });
  }
  if (asked || proof.reading_id !== undefined) {
    checks.push({
      says: "the hash of the record's bytes is the reading's id",
      holds: hex(leaf) === proof.reading_id,
    });
  }
  if (proof.reading) {
    checks.push({
      says: "the registers and the time in the bytes are those that the hub shows",
      holds:
        BigInt(proof.reading.import_wh) === reading.importWh &&
        BigInt(proof.reading.export_wh) === reading.exportWh &&
        seconds(proof.reading.slot_at) === reading.slotS,
    });
  }
  return judged("reading", {
    checks,
    at: asked ? "verified" : "consistent",
    good: `The bytes say: import ${wh(reading.importWh)}, export ${wh(reading.exportWh)}, read at ${utc(reading.readAtMs)}.`,
    open: `The bytes name the meter by a number of its gateway. Which meter that is stands in another signed record; here ${teller(asked)} says it.`,
    shown: [
      { name: "record", value: proof.record },
      { name: "reading id", value: hex(leaf) },
      { name: "place", value: `${proof.index + 1} of ${proof.count} in the frame` },
      ...pathShown(proof.path),
      { name: "root", value: hex(header.merkleRoot) },
    ],
  });
}

/** The gateway's key signed the header. */
export async function verifyFrame(proof: ProofDocument, asked: Asked | null): Promise<Rung> {
  const bytes = fromHex(proof.header);
  const header = decodeHeader(bytes);
  const publicKey = fromHex(proof.public_key);
  const verdict = await verifySignature(publicKey, bytes, fromHex(proof.signature));
  const checks: Check[] = [
    { says: `the header is ${proof.gateway_id}'s`, holds: header.gatewayId === proof.gateway_id },
    { says: "the header names this public key", holds: equal(header.keyId, keyId(publicKey)) },
    { says: "this key signed exactly these header bytes (Ed25519)", holds: verdict.holds },
  ];
  if (proof.header_hash !== undefined) {
    checks.push({
      says: "the header's hash is the frame's id",
      holds: hex(headerHash(bytes)) === proof.header_hash,
    });
  }
  const rung = judged("frame", {
    checks,
    at: asked ? "verified" : "consistent",
    good: `The key shown below signed frame ${header.sequence} of ${header.gatewayId}, sealed at ${utc(header.sealedAtMs)}. ${verdict.why}.`,
    open: asked
      ? "That this key belongs to the gateway is what the hub's register says."
      : "The key came with the file: whoever wrote the file could have made it. Compare it with the gateway's key, or ask the hub for this reading.",
    shown: [
      { name: "public key", value: proof.public_key },
      { name: "header", value: proof.header },
      { name: "signature", value: proof.signature },
      { name: "frame id", value: hex(headerHash(bytes)) },
      { name: "frame before", value: hex(header.previousHash) },
    ],
  });
  return verdict.holds ? rung : { ...rung, sentence: `${rung.sentence} ${verdict.why}.` };
}

/** The meter's energy is a leaf under the root that the oracle attested. */
export function verifyInterval(proof: ProofDocument, asked: Asked | null): Rung {
  const interval = proof.interval;
  if (!interval)
    return absent(
      "interval",
      "The oracle has not attested this reading's interval yet. Come back when it has closed.",
    );
  const [start, end] = [seconds(interval.start_at), seconds(interval.end_at)];
  const leaf = intervalLeaf(start, end, interval);
  const { slotS } = decodeReading(fromHex(proof.record));
  const checks: Check[] = [
    {
      says: `${interval.meter_id}'s import, export, quality and blinding give the leaf`,
      holds: hex(leaf) === interval.leaf,
    },
    {
      says: "the leaf and its path lead to the interval's root",
      holds: leadsTo(leaf, interval, fromHex(interval.merkle_root)),
    },
    { says: "the reading was taken in the interval", holds: start <= slotS && slotS <= end },
  ];
  if (asked?.interval !== undefined) {
    checks.unshift({
      says: "this is the interval that was asked for",
      holds: seconds(asked.interval) === start,
    });
  }
  if (proof.reading) {
    checks.push({
      says: "the interval's leaf is of the same meter",
      holds: proof.reading.meter_id === interval.meter_id,
    });
  }
  return judged("interval", {
    checks,
    at: "consistent",
    good: `${interval.meter_id} imported ${wh(interval.import_wh)} and exported ${wh(interval.export_wh)} (${interval.quality}): leaf ${interval.index + 1} under the root shown below.`,
    open: `The root itself: ${teller(asked)} says that the oracle attested it. Compare it with the interval account on the chain. An interval's energy is the difference of two readings: open the other one's proof to compare the registers.`,
    shown: [
      {
        name: "interval",
        value: `${utc(start * 1000)} to ${utc(end * 1000)}, revision ${interval.revision}`,
      },
      { name: "blinding (keeps neighbours from guessing)", value: interval.blinding },
      { name: "leaf", value: hex(leaf) },
      ...pathShown(interval.path),
      { name: "root", value: interval.merkle_root },
      { name: "leaves under the root, as told", value: String(interval.count) },
    ],
  });
}

/** Why there is no line: only an interval whose settlement is on its way is known to be without one. */
function noLine({ interval, chain }: ProofDocument): string {
  if (!interval) return "There is no line before the interval is attested and cleared.";
  if (chain?.transactions.some(({ kind }) => kind === "open" || kind === "close"))
    return "The interval is settled without a line of this meter's owner: the owner did not trade in it.";
  return "There is no line yet: the interval is attested, and its market is not settled. If the owner trades in it, the line appears here.";
}

/** What the owner sold, bought, got and paid is a line under the root that settlement opened with. */
export function verifyLine(proof: ProofDocument, asked: Asked | null): Rung {
  const line = proof.line;
  if (!line) {
    return absent("line", noLine(proof));
  }
  const leaf = lineLeaf(seconds(line.start_at), line.index, line);
  const checks: Check[] = [
    { says: "energy, money and wallet give the leaf", holds: hex(leaf) === line.leaf },
    {
      says: "the leaf and its path lead to the settlement's root",
      holds: leadsTo(leaf, line, fromHex(line.root)),
    },
  ];
  if (proof.interval) {
    checks.push({
      says: "the line is of the same interval",
      holds: seconds(line.start_at) === seconds(proof.interval.start_at),
    });
  }
  return judged("line", {
    checks,
    at: "consistent",
    good: `Sold ${wh(line.sold_wh)} for ${amount(line.credit_micros)}, bought ${wh(line.bought_wh)} for ${amount(line.debit_micros)} in the site's currency: line ${line.index + 1} under the root shown below.`,
    open: `The root itself: ${teller(asked)} says that settlement opened with it. Compare it with the settlement account on the chain. Whose wallet it is stands in the chain's register of participants. How the clearing came to these amounts is not in the proof.`,
    shown: [
      { name: "wallet", value: line.wallet },
      { name: "leaf", value: hex(leaf) },
      ...pathShown(line.path),
      { name: "root", value: line.root },
      { name: "lines under the root, as told", value: String(line.count) },
    ],
  });
}

/** Where the roots stand on the chain: shown, and said plainly that the browser did not read the chain itself. */
export function verifyChain(proof: ProofDocument, asked: Asked | null): Rung {
  const chain = proof.chain;
  if (!chain)
    return absent("chain", "Nothing of this reading is on the chain before its interval is attested.");
  return {
    id: "chain",
    title: TITLES.chain,
    state: "told",
    sentence: `Not verified in your browser: accounts and transactions below are what ${teller(asked)} says. Read them from any node of the chain and compare the roots with the rungs above.`,
    checks: [],
    shown: [
      { name: "interval account", value: chain.interval_account, on: "account" },
      ...(chain.settlement_account
        ? [{ name: "settlement account", value: chain.settlement_account, on: "account" as const }]
        : []),
      ...chain.transactions.map((one) => ({
        name: `${one.kind} (${one.state}${one.slot === null ? "" : `, slot ${one.slot}`})`,
        value: one.signature,
        on: "transaction" as const,
      })),
    ],
  };
}
