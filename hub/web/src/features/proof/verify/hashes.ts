// The hashes of the ladder, each with a prefix of its own so that none can stand in for another.
import { sha256 } from "@noble/hashes/sha2.js";
import {
  type Bytes,
  concat,
  fromBase58,
  fromHex,
  toHex,
  toLittleEndian,
  toPaddedUtf8,
  toUtf8,
} from "./bytes";

const hash = (...parts: Uint8Array[]): Bytes => sha256(concat(...parts)) as Bytes;

/** The hash of one record of a gateway: a reading's id. */
export function recordLeaf(gatewayId: string, record: Uint8Array): Bytes {
  const name = toUtf8(gatewayId);
  return hash(toUtf8("peerwatt/leaf/1"), toLittleEndian(name.length, 1), name, record);
}

/** The id of the reading that a proof's bytes are of. */
export const readingId = (proof: { gateway_id: string; record: string }): string =>
  toHex(recordLeaf(proof.gateway_id, fromHex(proof.record)));

/** The identity of a frame. */
export const headerHash = (header: Uint8Array): Bytes => hash(toUtf8("peerwatt/header/1"), header);

/** How a frame names the key that signed it. */
export const keyId = (publicKey: Uint8Array): Bytes => hash(publicKey).slice(0, 8);

const node = (left: Uint8Array, right: Uint8Array): Bytes => hash(toUtf8("peerwatt/node/1"), left, right);

const QUALITY: Record<string, number> = { valid: 0, estimated: 1, suspect: 2, missing: 3 };

export type MeterEnergy = {
  meter_id: string;
  import_wh: number;
  export_wh: number;
  quality: string;
  /** 16 random bytes in hexadecimal, which only the owner is given. */
  blinding: string;
};

/** The leaf of one meter in an interval that the oracle attests. */
export function intervalLeaf(startS: number, endS: number, meter: MeterEnergy): Bytes {
  const quality = QUALITY[meter.quality];
  if (quality === undefined) throw new RangeError(`there is no quality "${meter.quality}"`);
  return hash(
    toUtf8("peerwatt/interval/1"),
    toLittleEndian(startS, 8, true),
    toLittleEndian(endS, 8, true),
    toPaddedUtf8(meter.meter_id, 32),
    toLittleEndian(meter.import_wh, 8),
    toLittleEndian(meter.export_wh, 8),
    toLittleEndian(quality, 1),
    fromHex(meter.blinding),
  );
}

export type LineAmounts = {
  wallet: string;
  sold_wh: number;
  bought_wh: number;
  credit_micros: number;
  debit_micros: number;
};

/** The leaf of one participant's settlement line. */
export function lineLeaf(startS: number, index: number, line: LineAmounts): Bytes {
  return hash(
    toUtf8("peerwatt/line/1"),
    toLittleEndian(startS, 8, true),
    toLittleEndian(index, 4),
    fromBase58(line.wallet),
    toLittleEndian(line.sold_wh, 8),
    toLittleEndian(line.bought_wh, 8),
    toLittleEndian(line.credit_micros, 8),
    toLittleEndian(line.debit_micros, 8),
  );
}

/** Computes the root that a leaf and its path lead to; null when the path does not fit a tree of `count` leaves (RFC 9162, 2.1.3.2). */
export function rootFromPath(
  leaf: Uint8Array,
  index: number,
  count: number,
  path: readonly Uint8Array[],
): Bytes | null {
  if (!Number.isInteger(index) || !Number.isInteger(count) || index < 0 || index >= count) return null;
  if (count > 2 ** 31) return null;
  let [position, last, hashed] = [index, count - 1, leaf as Bytes];
  for (const neighbour of path) {
    if (last === 0) return null;
    if (position % 2 === 1 || position === last) {
      hashed = node(neighbour, hashed);
      while (position % 2 === 0 && position > 0) [position, last] = [position >> 1, last >> 1];
    } else {
      hashed = node(hashed, neighbour);
    }
    [position, last] = [position >> 1, last >> 1];
  }
  return last === 0 ? hashed : null;
}
