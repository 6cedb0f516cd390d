import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";
import { equalBytes, fromBase58, fromHex, toHex, toLittleEndian } from "./bytes";
import { readProofFile, toDocument } from "./document";
import { verifySignature } from "./ed25519";
import { headerHash, keyId, recordLeaf, rootFromPath } from "./hashes";
import { verdictOf, verifyLadder, waitingRungs } from "./ladder";
import fixture from "./ladder.fixture.json";
import { unpack } from "./msgpack";
import type { ProofRequest, Rung } from "./rungs";
import { decodeHeader, decodeReading } from "./wire";

// The same golden vectors that the gateways' and the hub's Python is held to
const golden = JSON.parse(readFileSync("../../tests/contract/wire_vectors_2.json", "utf8"));

const REQUEST: ProofRequest = { readingId: fixture.reading_id, interval: fixture.interval.start_at };

/** Verifies a document as the hub's answer to `request`, or as a file; gives its rungs, and their states in one line. */
async function states(document: unknown, request: ProofRequest | null = REQUEST): Promise<[Rung[], string]> {
  const rungs: Rung[] = [];
  for await (const rung of verifyLadder(toDocument(document), request)) rungs.push(rung);
  return [rungs, rungs.map((rung) => rung.state).join(" ")];
}

type Document = typeof fixture;

/** The fixture's revision as the list of revisions tells it, and one that replaced it. */
const LISTED = {
  revision: fixture.interval.revision,
  attested_at: fixture.interval.end_at,
  import_wh: fixture.interval.import_wh,
  export_wh: fixture.interval.export_wh,
  quality: fixture.interval.quality,
  rules: [],
  merkle_root: fixture.interval.merkle_root,
  interval_account: "1".repeat(32),
  chain_state: "final",
  final_at: null,
  refusal: null,
  traded: true,
  billed: false,
};
const REPLACED = { ...LISTED, revision: LISTED.revision + 1, import_wh: 7, traded: false, billed: true };

function changed(change: (copy: Document) => void): Document {
  const copy = structuredClone(fixture);
  change(copy);
  return copy;
}

const flipped = (bytes: string, at: number) => {
  const copy = fromHex(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return toHex(copy);
};

describe("golden vectors", () => {
  for (const [number, frame] of golden.frames.entries()) {
    test(`frame ${number}: hash, leaves, root, paths, signature`, async () => {
      const header = fromHex(frame.header);
      const decoded = decodeHeader(header);
      expect(toHex(headerHash(header))).toBe(frame.header_hash);
      expect(toHex(decoded.merkleRoot)).toBe(frame.merkle_root);
      const key = fromHex(golden.gateway_public_key);
      expect(toHex(keyId(key))).toBe(golden.key_id);
      expect((await verifySignature(key, header, fromHex(frame.signature))).holds).toBe(true);
      expect((await verifySignature(key, header, fromHex(flipped(frame.signature, 5)))).holds).toBe(false);
    });
  }

  test("a frame's body gives its leaves", () => {
    const body = fromHex(golden.frames[0].body);
    const leaves: string[] = [];
    for (let at = 0; at < body.length; ) {
      const size = body[at + 1] ?? 0;
      leaves.push(toHex(recordLeaf(golden.gateway_id, body.slice(at + 2, at + 2 + size))));
      at += 2 + size;
    }
    expect(leaves).toEqual(golden.frames[0].leaves);
  });

  test("readings decode to their registers, the largest included", () => {
    const reading = decodeReading(fromHex(golden.records.reading));
    expect([reading.meterIndex, reading.sequence, reading.slotS]).toEqual([1, 1n, 1_780_000_200]);
    const plain = decodeReading(fromHex(golden.records.reading_plain));
    expect(plain.exportWh).toBe(2n ** 63n - 1n);
  });

  test("the golden proof holds, and has no rungs above the frame", async () => {
    expect((await states(golden.proof, null))[1]).toBe("consistent consistent absent absent absent");
  });
});

describe("the ladder", () => {
  test("verifies reading and signature; what fits a root that was only shown is not called verified", async () => {
    const [rungs, line] = await states(fixture);
    expect(line).toBe("verified verified consistent consistent told");
    expect(verdictOf(rungs)).toEqual({
      state: "verified",
      sentence: "This reading is as its gateway signed it.",
      open:
        "Verified with the key that the hub's register gives for the gateway. " +
        "Its interval and settlement line fit the roots shown, which are not compared with the chain here.",
    });
    expect(verdictOf(waitingRungs()).state).toBe("checking");
  });

  test("a file whose key comes from the file itself turns nothing green", async () => {
    const [rungs, line] = await states(fixture, null);
    expect(line).toBe("consistent consistent consistent consistent told");
    expect(verdictOf(rungs).state).toBe("consistent");
    expect(verdictOf(rungs).sentence).toMatch(/proves nothing by itself/);
    expect(verdictOf(rungs).open).toMatch(/can not say whether the key is the gateway's/);
    expect(rungs.map((rung) => `${rung.sentence} ${rung.open ?? ""}`).join(" ")).not.toMatch(
      /register says|hub says/,
    );
  });

  const OTHER = "00".repeat(32);
  test.each([
    ["another reading", { ...REQUEST, readingId: OTHER }, 0],
    ["another interval", { ...REQUEST, interval: fixture.interval.end_at }, 2],
    ["another revision", { ...REQUEST, revision: fixture.interval.revision + 1 }, 2],
  ] as const)(
    "an answer about %s than the one asked for is broken, however genuine",
    async (_, request, broken) => {
      const [rungs] = await states(fixture, request);
      expect(rungs[broken]?.state).toBe("broken");
      expect(rungs[broken]?.sentence).toMatch(/was asked for/);
      expect(verdictOf(rungs).state).toBe("broken");
    },
  );

  test("the revision that was asked for, and is listed as it is proven, holds", async () => {
    const [rungs, line] = await states(
      { ...fixture, revisions: [LISTED, REPLACED] },
      { ...REQUEST, revision: fixture.interval.revision },
    );
    expect(line).toBe((await states(fixture))[1]);
    expect(rungs[2]?.checks.map(({ says }) => says)).toContain(
      "the list of revisions says the same of this one",
    );
  });

  test.each([
    ["import_wh", LISTED.import_wh + 1],
    ["export_wh", LISTED.export_wh + 1],
    ["quality", "missing"],
    ["merkle_root", OTHER],
  ])("a list that says another %s of the proven revision breaks the interval's rung", async (name, value) => {
    const [rungs] = await states({ ...fixture, revisions: [{ ...LISTED, [name]: value }] });
    expect(rungs[2]?.state).toBe("broken");
    expect(verdictOf(rungs).state).toBe("broken");
  });

  test("an answer of the hub must name the reading", async () => {
    const [rungs] = await states({ ...fixture, reading_id: undefined });
    expect(rungs[0]?.state).toBe("broken");
  });

  test("how many leaves there are is claimed by no rung: a path fits several counts", async () => {
    const [rungs] = await states(changed((c) => Object.assign(c.interval, { count: 4 })));
    expect(rungs[2]?.sentence).not.toMatch(/of 4/);
    expect(rungs[2]?.shown).toContainEqual({ name: "leaves under the root, as told", value: "4" });
    const [broken] = await states(changed((c) => Object.assign(c.interval, { count: 9 })));
    expect(broken[2]?.state).toBe("broken");
  });

  test.each([
    ["not settled yet", [], /no line yet/],
    ["settled without it", [{ signature: "s", kind: "close", state: "finalized", slot: 1 }], /did not trade/],
  ])("an interval that is %s says why there is no line", async (_, transactions, says) => {
    const [rungs] = await states({ ...fixture, line: null, chain: { ...fixture.chain, transactions } });
    expect(rungs[3]?.state).toBe("absent");
    expect(rungs[3]?.sentence).toMatch(says);
  });

  const TAMPERED: [string, (copy: Document) => void, number][] = [
    [
      "a bit of the record",
      (c) => Object.assign(c, { record: flipped(c.record, -1 + c.record.length / 2) }),
      0,
    ],
    ["the shown registers", (c) => Object.assign(c.reading, { import_wh: 1 }), 0],
    ["the reading's id", (c) => Object.assign(c, { reading_id: "00".repeat(32) }), 0],
    ["the place in the frame", (c) => Object.assign(c, { index: 0 }), 0],
    ["a bit of the signature", (c) => Object.assign(c, { signature: flipped(c.signature, 3) }), 1],
    ["the key", (c) => Object.assign(c, { public_key: flipped(c.public_key, 3) }), 1],
    ["the gateway", (c) => Object.assign(c, { gateway_id: "gw-south" }), 1],
    ["the interval's energy", (c) => Object.assign(c.interval, { import_wh: 499 }), 2],
    ["the interval's quality", (c) => Object.assign(c.interval, { quality: "valid" }), 2],
    ["the interval's time", (c) => Object.assign(c.interval, { start_at: "2026-06-01T09:15:00Z" }), 2],
    ["the blinding", (c) => Object.assign(c.interval, { blinding: flipped(c.interval.blinding, 0) }), 2],
    ["the meter", (c) => Object.assign(c.interval, { meter_id: "METER_003" }), 2],
    ["the interval's path", (c) => c.interval.path.pop(), 2],
    ["the line's debit", (c) => Object.assign(c.line, { debit_micros: 1 }), 3],
    ["the line's wallet", (c) => Object.assign(c.line, { wallet: "11111111111111111111111111111111" }), 3],
    ["the line's root", (c) => Object.assign(c.line, { root: flipped(c.line.root, 0) }), 3],
  ];
  for (const [what, change, broken] of TAMPERED) {
    test(`${what} was changed: its rung is broken, and says so`, async () => {
      const [rungs] = await states(changed(change));
      expect(rungs[broken]?.state).toBe("broken");
      expect(rungs[broken]?.sentence).toMatch(/does not hold|can not be read/);
      expect(verdictOf(rungs).state).toBe("broken");
      expect(verdictOf(rungs).sentence).toContain(rungs[broken]?.title);
    });
  }

  test("a changed line leaves the rungs below it as they are", async () => {
    const [, line] = await states(changed((c) => Object.assign(c.line, { sold_wh: 5 })));
    expect(line).toBe("verified verified consistent broken told");
  });
});

describe("strictness", () => {
  test("keys and signatures of low order or not in canonical form are refused by name", async () => {
    const { header, signature, public_key } = golden.proof;
    const zeros = "00".repeat(32);
    const refused = async (key: string, sign: string) =>
      (await verifySignature(fromHex(key), fromHex(header), fromHex(sign))).why;
    expect(await refused(`01${"00".repeat(31)}`, signature)).toMatch(/low order/);
    expect(await refused(`ed${"ff".repeat(30)}7f`, signature)).toMatch(/canonical/);
    expect(await refused(public_key, zeros + zeros)).toMatch(/low order/);
    expect(await refused(public_key, signature.slice(0, 64) + "ff".repeat(32))).toMatch(/canonical/);
  });

  afterEach(() => vi.unstubAllGlobals());

  test("a browser without Ed25519 of its own comes to the same verdict", async () => {
    vi.stubGlobal("crypto", {});
    const { header, signature, public_key } = golden.proof;
    const [key, message] = [fromHex(public_key), fromHex(header)];
    expect(await verifySignature(key, message, fromHex(signature))).toEqual({
      holds: true,
      why: "Checked with noble-ed25519",
    });
    expect((await verifySignature(key, message, fromHex(flipped(signature, 5)))).holds).toBe(false);
  });

  test.each([
    ["trailing bytes", "9000"],
    ["cut off", "9201"],
    ["longer than needed", "91cc01"],
    ["text", "91a161"],
    ["no array", "01"],
    ["a length without bytes", "dcffff"],
  ])("msgpack: %s", (_, bytes) => {
    expect(() => unpack(fromHex(bytes))).toThrow(RangeError);
  });

  test("a path of the wrong length or place leads nowhere", () => {
    const leaf = new Uint8Array(32);
    expect(rootFromPath(leaf, 0, 1, [])).toEqual(leaf);
    expect(rootFromPath(leaf, 0, 1, [leaf])).toBeNull();
    expect(rootFromPath(leaf, 0, 2, [])).toBeNull();
    expect(rootFromPath(leaf, 2, 2, [leaf])).toBeNull();
    expect(rootFromPath(leaf, -1, 2, [leaf])).toBeNull();
  });

  test("words of bytes", () => {
    expect(toHex(toLittleEndian(-2, 8, true))).toBe("feffffffffffffff");
    expect(() => toLittleEndian(256, 1)).toThrow(RangeError);
    expect(() => toLittleEndian(1.5, 8)).toThrow(RangeError);
    expect(equalBytes(fromBase58("11111111111111111111111111111112"), toLittleEndian(1, 32).reverse())).toBe(
      true,
    );
    expect(() => fromBase58("0OIl")).toThrow(RangeError);
  });
});

describe("proof files", () => {
  test.each([
    ["not JSON", "{"],
    ["no object", "[]"],
    ["another format", JSON.stringify({ ...golden.proof, format: "peerwatt.proof/9" })],
    ["no signature", JSON.stringify({ ...golden.proof, signature: undefined })],
    ["a path that is none", JSON.stringify({ ...golden.proof, path: ["zz"] })],
    ["an index that is none", JSON.stringify({ ...golden.proof, index: "1" })],
    [
      "an interval without a root",
      JSON.stringify({ ...fixture, interval: { ...fixture.interval, merkle_root: 1 } }),
    ],
    [
      "a blinding that is too short",
      JSON.stringify({ ...fixture, interval: { ...fixture.interval, blinding: "00" } }),
    ],
    [
      "an account that is no text",
      JSON.stringify({ ...fixture, chain: { ...fixture.chain, settlement_account: { a: 1 } } }),
    ],
    [
      "a transaction that is none",
      JSON.stringify({ ...fixture, chain: { ...fixture.chain, transactions: [null] } }),
    ],
    [
      "a transaction with an object for its state",
      JSON.stringify({
        ...fixture,
        chain: { ...fixture.chain, transactions: [{ ...fixture.chain.transactions[0], state: {} }] },
      }),
    ],
    ["revisions that are no list", JSON.stringify({ ...fixture, revisions: {} })],
    [
      "a revision without energy",
      JSON.stringify({ ...fixture, revisions: [{ ...LISTED, import_wh: null }] }),
    ],
    [
      "a revision in no state",
      JSON.stringify({ ...fixture, revisions: [{ ...LISTED, chain_state: "gone" }] }),
    ],
    [
      "a revision with a rule that is none",
      JSON.stringify({ ...fixture, revisions: [{ ...LISTED, rules: [1] }] }),
    ],
    ["a name without end", JSON.stringify({ ...fixture, gateway_id: "g".repeat(300) })],
  ])("%s is refused with a sentence", async (_, content) => {
    await expect(readProofFile(new Blob([content]))).rejects.toThrow(/file|must be|must have/);
  });
});
