//! Merkle trees over given leaf hashes, in the shape of RFC 6962 section 2.1 with domains of our own.
//!
//! A tree of n leaves splits at the largest power of two below n. Every leaf is itself a domain-separated hash, made by
//! whoever owns the leaf's meaning; a node can therefore never pass for a leaf.

mod frontier;
mod path;
mod range;

pub use frontier::{Frontier, DEPTH};
pub use path::climb;
pub use range::range_root;

/// A SHA-256 digest.
pub type Hash = [u8; 32];

const NODE: &[u8] = b"peerwatt/node/1";
const EMPTY: &[u8] = b"peerwatt/empty/1";

/// SHA-256 over the concatenated parts; a single system call on chain.
#[inline(always)]
pub fn sha256(parts: &[&[u8]]) -> Hash {
    solana_sha256_hasher::hashv(parts).to_bytes()
}

/// SHA-256 over the parts, straight into `out`: a digest that is returned is copied byte by byte, which costs more on
/// chain than the hash itself.
#[inline(always)]
pub fn sha256_into(out: &mut Hash, parts: &[&[u8]]) {
    #[cfg(not(target_os = "solana"))]
    {
        *out = sha256(parts);
    }
    // SAFETY: the system call reads `parts.len()` slices, laid out as the runtime expects them, and writes 32 bytes.
    #[cfg(target_os = "solana")]
    unsafe {
        solana_sha256_hasher::sol_sha256(
            parts.as_ptr().cast(),
            parts.len() as u64,
            out.as_mut_ptr(),
        );
    }
}

/// The parent of two nodes.
#[inline(always)]
pub fn node(left: &Hash, right: &Hash) -> Hash {
    sha256(&[NODE, left, right])
}

/// Splits the bytes into digests of 32; None when the last one is cut off.
pub fn as_hashes(bytes: &[u8]) -> Option<&[Hash]> {
    let (hashes, rest) = bytes.as_chunks();
    rest.is_empty().then_some(hashes)
}

/// The root of the tree without leaves.
pub fn empty() -> Hash {
    sha256(&[EMPTY])
}

#[cfg(test)]
mod model {
    //! The definition, word for word and slow, for the other modules' tests.
    use super::{empty, node, Hash};

    pub fn leaves(count: usize) -> Vec<Hash> {
        (0..count).map(|i| [i as u8 + 1; 32]).collect()
    }

    fn split(count: usize) -> usize {
        count.next_power_of_two() / 2
    }

    pub fn root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty(),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(split(leaves.len()));
                node(&root(left), &root(right))
            }
        }
    }

    /// The roots of the largest subtrees without a leaf of first..end, from left to right.
    pub fn range_proof(leaves: &[Hash], first: usize, end: usize) -> Vec<Hash> {
        if end == 0 || first >= leaves.len() {
            return vec![root(leaves)];
        }
        if leaves.len() == 1 {
            return vec![];
        }
        let middle = split(leaves.len());
        let (left, right) = leaves.split_at(middle);
        let mut found = range_proof(left, first, end.min(middle));
        found.extend(range_proof(
            right,
            first.saturating_sub(middle),
            end.saturating_sub(middle),
        ));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(hash: Hash) -> String {
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn a_digest_that_is_cut_off_is_none() {
        assert_eq!(as_hashes(&[]), Some(&[][..]));
        assert_eq!(as_hashes(&[7; 64]), Some(&[[7; 32]; 2][..]));
        assert_eq!(as_hashes(&[7; 63]), None);
    }

    // From Python's hashlib, so that the other implementations agree with this one on the bytes.
    #[test]
    fn known_answers() {
        assert_eq!(
            hex(empty()),
            "9291d6e089be7c57dbf70d0697cb82b6009ecb1ebd55af0ac45d962a98246c16"
        );
        assert_eq!(
            hex(model::root(&model::leaves(3))),
            "7799f487180efa8bf95ba5f65bb19f6e0cfb991c0e75e1feef0750aaf2d96f1d"
        );
    }
}
