// Strict msgpack as the gateways write it: integers, byte strings and arrays, each in its one shortest form.
import { type Bytes, hex } from "./bytes";

export type Value = bigint | Bytes | Value[];

const TOO_SHORT = "the bytes end too early";
const LONGER = "a value is not in its shortest form";

class Reader {
  at = 0;
  constructor(readonly bytes: Bytes) {}

  take(size: number): Bytes {
    if (this.at + size > this.bytes.length) throw new RangeError(TOO_SHORT);
    this.at += size;
    return this.bytes.slice(this.at - size, this.at);
  }

  number(size: number): bigint {
    return BigInt(`0x${hex(this.take(size))}`);
  }

  /** A number of this size that would not have fitted into a smaller one. */
  shortest(size: number, least: bigint): bigint {
    const value = this.number(size);
    if (value < least) throw new RangeError(LONGER);
    return value;
  }

  signed(size: number, most: bigint): bigint {
    const value = BigInt.asIntN(size * 8, this.number(size));
    if (value >= most) throw new RangeError(LONGER);
    return value;
  }

  array(length: number): Value[] {
    if (length > this.bytes.length) throw new RangeError(TOO_SHORT);
    return Array.from({ length }, () => this.value());
  }

  value(): Value {
    const lead = Number(this.number(1));
    if (lead < 0x80) return BigInt(lead);
    if (lead >= 0xe0) return BigInt(lead - 0x100);
    if (lead >= 0x90 && lead <= 0x9f) return this.array(lead - 0x90);
    const read = WIDE[lead];
    if (!read) throw new RangeError("only integers, byte strings and arrays are allowed");
    return read(this);
  }
}

const WIDE: Record<number, (reader: Reader) => Value> = {
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
export function unpack(bytes: Bytes): Value[] {
  const reader = new Reader(bytes);
  const value = reader.value();
  if (!Array.isArray(value)) throw new RangeError("the outermost value must be an array");
  if (reader.at !== bytes.length) throw new RangeError(`${bytes.length - reader.at} bytes after the end`);
  return value;
}

export function integer(value: Value | undefined, name: string): bigint {
  if (typeof value !== "bigint") throw new RangeError(`${name} must be an integer`);
  return value;
}

export function octets(value: Value | undefined, name: string, size?: number): Bytes {
  if (!(value instanceof Uint8Array)) throw new RangeError(`${name} must be a byte string`);
  if (size !== undefined && value.length !== size) {
    throw new RangeError(`${name} has ${value.length} bytes instead of ${size}`);
  }
  return value;
}
