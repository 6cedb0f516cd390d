// Bytes as hex, base58 and little-endian words; every function refuses what is not in its one form.

export type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();

export const toUtf8 = (value: string): Bytes => encoder.encode(value) as Bytes;

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function fromHex(value: string): Bytes {
  if (value.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(value)) throw new RangeError("not hexadecimal");
  return Uint8Array.from({ length: value.length / 2 }, (_, at) =>
    Number.parseInt(value.slice(at * 2, at * 2 + 2), 16),
  );
}

export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

export function concat(...parts: Uint8Array[]): Bytes {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** An integer as `size` bytes, least significant first; RangeError when it does not fit or is no integer. */
export function toLittleEndian(value: number | bigint, size: number, signed = false): Bytes {
  const wide = BigInt(value);
  const bits = BigInt(size * 8);
  const fits = signed ? BigInt.asIntN(Number(bits), wide) : BigInt.asUintN(Number(bits), wide);
  if (fits !== wide) throw new RangeError(`${value} does not fit into ${size} bytes`);
  return Uint8Array.from({ length: size }, (_, at) => Number((wide >> BigInt(8 * at)) & 0xffn));
}

/** Bytes, least significant first, as an integer. */
export function fromLittleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** UTF-8, padded with zeros. */
export function toPaddedUtf8(value: string, size: number): Bytes {
  const bytes = toUtf8(value);
  if (bytes.length > size) throw new RangeError(`${value} is longer than ${size} bytes`);
  return concat(bytes, new Uint8Array(size - bytes.length));
}

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** A Solana address as its 32 bytes. */
export function fromBase58(value: string): Bytes {
  let number = 0n;
  for (const letter of value) {
    const digit = ALPHABET.indexOf(letter);
    if (digit < 0) throw new RangeError("not base58");
    number = number * 58n + BigInt(digit);
  }
  if (number >= 1n << 256n || value.length > 44) throw new RangeError("longer than 32 bytes");
  return toLittleEndian(number, 32).reverse();
}
