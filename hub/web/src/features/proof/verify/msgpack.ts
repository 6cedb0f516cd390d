// Strict msgpack as the gateways write it: integers, byte strings and arrays, each in its one shortest form.
import { type Bytes, toHex } from "./bytes";

export type MsgpackValue = bigint | Bytes | MsgpackValue[];

const TOO_SHORT = "the bytes end too early";
const NOT_SHORTEST = "a value is not in its shortest form";

class Reader {
  offset = 0;
  constructor(readonly bytes: Bytes) {}

  take(size: number): Bytes {
    if (this.offset + size > this.bytes.length) throw new RangeError(TOO_SHORT);
    this.offset += size;
    return this.bytes.slice(this.offset - size, this.offset);
  }

  number(size: number): bigint {
    return BigInt(`0x${toHex(this.take(size))}`);
  }

  /** A number of this size that would not have fitted into a smaller one. */
  shortest(size: number, min: bigint): bigint {
    const value = this.number(size);
    if (value < min) throw new RangeError(NOT_SHORTEST);
    return value;
  }

  signed(size: number, limit: bigint): bigint {
    const value = BigInt.asIntN(size * 8, this.number(size));
    if (value >= limit) throw new RangeError(NOT_SHORTEST);
    return value;
  }

  array(length: number): MsgpackValue[] {
    if (length > this.bytes.length) throw new RangeError(TOO_SHORT);
    return Array.from({ length }, () => this.value());
  }

  value(): MsgpackValue {
    const lead = Number(this.number(1));
    if (lead < 0x80) return BigInt(lead);
    if (lead >= 0xe0) return BigInt(lead - 0x100);
    if (lead >= 0x90 && lead <= 0x9f) return this.array(lead - 0x90);
    const read = READ_BY_LEAD[lead];
    if (!read) throw new RangeError("only integers, byte strings and arrays are allowed");
    return read(this);
  }
}

const READ_BY_LEAD: Record<number, (reader: Reader) => MsgpackValue> = {
  196: (r) => r.take(Number(r.number(1))),
  197: (r) => r.take(Number(r.shortest(2, 256n))),
  204: (r) => r.shortest(1, 128n),
  205: (r) => r.shortest(2, 256n),
  206: (r) => r.shortest(4, 65_536n),
  207: (r) => r.shortest(8, 4_294_967_296n),
  208: (r) => r.signed(1, -32n),
  209: (r) => r.signed(2, -128n),
  210: (r) => r.signed(4, -32_768n),
  211: (r) => r.signed(8, -2_147_483_648n),
  220: (r) => r.array(Number(r.shortest(2, 16n))),
};

/** Reads one array that takes up all the bytes. */
export function unpack(bytes: Bytes): MsgpackValue[] {
  const reader = new Reader(bytes);
  const value = reader.value();
  if (!Array.isArray(value)) throw new RangeError("the outermost value must be an array");
  if (reader.offset !== bytes.length)
    throw new RangeError(`${bytes.length - reader.offset} bytes after the end`);
  return value;
}

/** Takes a value that must be an integer; RangeError otherwise. */
export function expectInteger(value: MsgpackValue | undefined, name: string): bigint {
  if (typeof value !== "bigint") throw new RangeError(`${name} must be an integer`);
  return value;
}

/** Takes a value that must be a byte string, of `size` bytes where that is given; RangeError otherwise. */
export function expectBytes(value: MsgpackValue | undefined, name: string, size?: number): Bytes {
  if (!(value instanceof Uint8Array)) throw new RangeError(`${name} must be a byte string`);
  if (size !== undefined && value.length !== size) {
    throw new RangeError(`${name} has ${value.length} bytes instead of ${size}`);
  }
  return value;
}
