// A strict Ed25519 check: canonical, no points of low order; the browser's own arithmetic where it has it.
// The extra checks follow "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko 2020), like the gateways and the hub.
import { hashes, verify } from "@noble/ed25519";
import { sha512 } from "@noble/hashes/sha2.js";
import { type Bytes, fromLittleEndian } from "./bytes";

hashes.sha512 = sha512;

const FIELD = 2n ** 255n - 19n;
const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const Y_MASK = 2n ** 255n - 1n;
const ORDER_8_Y = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;
const LOW_ORDER_Y = new Set([0n, 1n, FIELD - 1n, ORDER_8_Y, FIELD - ORDER_8_Y]);

/** Says what is wrong with the form of key or signature; null when nothing is. */
function formatError(publicKey: Bytes, signature: Bytes): string | null {
  if (publicKey.length !== 32) return `The public key has ${publicKey.length} bytes instead of 32`;
  if (signature.length !== 64) return `The signature has ${signature.length} bytes instead of 64`;
  const keyY = fromLittleEndian(publicKey) & Y_MASK;
  const pointY = fromLittleEndian(signature.slice(0, 32)) & Y_MASK;
  if (keyY >= FIELD) return "The public key is not in its canonical form";
  if (LOW_ORDER_Y.has(keyY)) return "The public key is of low order: anybody could have signed";
  if (pointY >= FIELD || fromLittleEndian(signature.slice(32)) >= GROUP_ORDER) {
    return "The signature is not in its canonical form";
  }
  return LOW_ORDER_Y.has(pointY) ? "The signature's point is of low order" : null;
}

/** Checks the equation with the browser's own Ed25519 where it has it; says which code did it. */
async function verifyEquation(
  publicKey: Bytes,
  message: Bytes,
  signature: Bytes,
): Promise<[boolean, string]> {
  const subtle = globalThis.crypto?.subtle;
  try {
    const key = await subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
    return [await subtle.verify("Ed25519", key, signature, message), "WebCrypto"];
  } catch {
    return [verify(signature, message, publicKey, { zip215: false }), "noble-ed25519"];
  }
}

export type SignatureVerdict = { holds: boolean; why: string };

/** Checks whether this key signed these bytes; says which code checked it, or what is wrong. */
export async function verifySignature(
  publicKey: Bytes,
  message: Bytes,
  signature: Bytes,
): Promise<SignatureVerdict> {
  const error = formatError(publicKey, signature);
  if (error) return { holds: false, why: error };
  try {
    const [holds, library] = await verifyEquation(publicKey, message, signature);
    return {
      holds,
      why: holds ? `Checked with ${library}` : "The signature is not by this key over these bytes",
    };
  } catch {
    return { holds: false, why: "The public key is no point of the curve" };
  }
}
