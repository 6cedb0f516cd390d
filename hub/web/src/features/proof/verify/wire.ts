// A frame's header and a reading's record, decoded from the bytes that the gateway signed.
import type { Bytes } from "./bytes";
import { expectBytes, expectInteger, type MsgpackValue, unpack } from "./msgpack";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Both versions have the same header; they differ in the kinds of record that a frame may have. */
const FRAME_TAGS = ["peerwatt/frame/1", "peerwatt/frame/2"];

export type Header = {
  gatewayId: string;
  keyId: Bytes;
  bootId: Bytes;
  sequence: bigint;
  previousHash: Bytes;
  recordCount: number;
  merkleRoot: Bytes;
  sealedAtMs: number;
};

/** Reads the nine fields of a header; RangeError says what is wrong. */
export function decodeHeader(bytes: Bytes): Header {
  const fields = unpack(bytes);
  if (!FRAME_TAGS.includes(utf8.decode(expectBytes(fields[0], "tag"))))
    throw new RangeError(`not ${FRAME_TAGS.join(" or ")}`);
  if (fields.length !== 9) throw new RangeError(`${fields.length} fields instead of 9`);
  return {
    gatewayId: utf8.decode(expectBytes(fields[1], "gateway id")),
    keyId: expectBytes(fields[2], "key id", 8),
    bootId: expectBytes(fields[3], "boot id", 16),
    sequence: expectInteger(fields[4], "sequence"),
    previousHash: expectBytes(fields[5], "previous hash", 32),
    recordCount: Number(expectInteger(fields[6], "record count")),
    merkleRoot: expectBytes(fields[7], "Merkle root", 32),
    sealedAtMs: Number(expectInteger(fields[8], "sealed at")),
  };
}

export type Reading = {
  meterIndex: number;
  sequence: bigint;
  slotS: number;
  readAtMs: number;
  timeQuality: string;
  meterState: string;
  importWh: bigint;
  exportWh: bigint;
};

const expectLetter = (value: MsgpackValue | undefined, name: string) =>
  String.fromCharCode(Number(expectInteger(value, name)));

/** Reads a record of kind 1; RangeError says what is wrong. */
export function decodeReading(bytes: Bytes): Reading {
  const fields = unpack(bytes);
  if (fields[0] !== 1n) throw new RangeError(`a record of kind ${String(fields[0])}, not a reading`);
  if (fields.length < 10) throw new RangeError(`${fields.length} fields, a reading has at least 10`);
  const slotS = Number(expectInteger(fields[3], "slot"));
  return {
    meterIndex: Number(expectInteger(fields[1], "meter index")),
    sequence: expectInteger(fields[2], "sequence"),
    slotS,
    readAtMs: slotS * 1000 + Number(expectInteger(fields[4], "read time")),
    timeQuality: expectLetter(fields[5], "time quality"),
    meterState: expectLetter(fields[6], "meter state"),
    importWh: expectInteger(fields[8], "import_wh"),
    exportWh: expectInteger(fields[9], "export_wh"),
  };
}
